// The product's own styles, so that a component test measures what a reader sees.
import '../src/app.css';
import { vi } from 'vitest';

// The router is SvelteKit's; without it the address is the test's business.
vi.mock('$app/navigation', () => ({ goto: vi.fn(async () => undefined) }));
vi.mock('$app/state', () => ({ page: { params: {}, error: null, status: 200 } }));
