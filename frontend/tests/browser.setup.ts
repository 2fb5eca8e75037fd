// The product's own styles, so that a component test measures what a reader sees.
import '../src/app.css';
import { vi } from 'vitest';

// The router is SvelteKit's; without it the address is the test's business.
vi.mock('$app/navigation', () => ({ goto: vi.fn(async () => undefined) }));
vi.mock('$app/state', () => ({ page: { params: {}, error: null, status: 200 } }));

// There is no router here: a link into the page would load it in place of the test.
document.addEventListener('click', (event) => {
	if (event.target instanceof Element && event.target.closest('a[href^="/"]'))
		event.preventDefault();
});
