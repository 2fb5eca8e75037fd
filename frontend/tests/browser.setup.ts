// The product's own styles, so that a component test measures what a reader sees.
import '../src/app.css';
