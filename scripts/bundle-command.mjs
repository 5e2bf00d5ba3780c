/**
 * @file The compiled `fovea` command in a few files, for tests, which start it a thousand times: it is ready in half the time.
 * Code and behaviour are those of dist/. What finds its way by `import.meta.url` finds what it would find there.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const compiled = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/fovea-cli/dist')

/**
 * @param folder where to; inside of the checkout, so that packages are found
 * @returns the file to start
 */
export async function bundleCommand(folder) {
  await build({
    entryPoints: { main: join(compiled, 'main.js'), 'batch-worker': join(compiled, 'data/batch-worker.js') },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['sharp', 'onnxruntime-node'],
    // Packages in CommonJS use it.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins: [ownUrls],
    logLevel: 'warning',
  })
  return join(folder, 'main.js')
}

/** Each module of ours keeps its own address, except where it starts the worker, which lies beside the bundle. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /packages[/\\][\w-]+[/\\]dist[/\\].*\.js$/ }, ({ path }) => {
      const url = JSON.stringify(pathToFileURL(path).href)
      const code = readFileSync(path, 'utf8').replace(/(?<!'\.\/batch-worker\.js', )import\.meta\.url/g, url)
      return { contents: code, loader: 'js' }
    })
  },
}
