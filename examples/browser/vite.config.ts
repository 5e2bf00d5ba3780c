/**
 * @file The pages by vite: `npx vite examples/browser` serves them while they change, `npx vite build examples/browser` makes
 * build/pages, static files for any web server.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** They isolate a page from others, which gives it threads. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export default defineConfig({
  root: path('.'),
  base: './',
  server: { headers, fs: { allow: [path('../..')] } },
  preview: { headers },
  worker: { format: 'es' },
  build: {
    outDir: path('../../build/pages'),
    emptyOutDir: true,
    target: 'es2022',
    // Files that are fetched stay files.
    assetsInlineLimit: 0,
    rollupOptions: { input: ['index.html', 'clothes.html', 'classes.html'].map(path) },
  },
})
