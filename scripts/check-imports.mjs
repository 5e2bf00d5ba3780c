/**
 * @file Keeps the direction of imports: which folder of `packages/fovea/src` may import which, which package may import
 * which, no node: modules in the library, and no cycles (imports of types alone do not count: they vanish).
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { sourceFiles } from './source-files.mjs'

/** Folder → the folders it may import, beside its own. Files at the top of src (errors, random) may be used by all. */
const folders = {
  settings: [],
  graph: ['settings'],
  ops: ['graph'],
  nn: ['settings', 'graph', 'ops', 'models/model.ts', 'data/dataset.ts', 'data/dataset-setting.ts'],
  models: [
    'settings',
    'graph',
    'ops',
    'nn',
    'data/dataset.ts',
    'data/dataset-setting.ts',
    'data/normalization.ts',
    'passes',
  ],
  passes: ['settings', 'graph', 'ops'],
  engines: [
    'settings',
    'graph',
    'ops',
    'passes',
    'models/model-setting.ts',
    'models/resizing.ts',
    'data/system-files.ts',
  ],
  data: ['settings'],
  formats: [
    'settings',
    'graph',
    'ops',
    'models',
    'passes',
    'train/training-state.ts',
    'compress/convert-quantization.ts',
    'compress/expect-float32.ts',
    'compress/fold-norms.ts',
    'data/dataset.ts',
    'data/normalization.ts',
  ],
  train: [
    'settings',
    'graph',
    'ops',
    'nn',
    'models',
    'passes',
    'engines',
    'data',
    'compress/scope.ts',
    'compress/connections.ts',
    'compress/choose-weights.ts',
  ],
  compress: ['settings', 'graph', 'ops', 'models', 'passes', 'engines', 'data', 'train'],
  browser: ['settings', 'data', 'models/model.ts', 'models/resizing.ts', 'engines/memory.ts'],
  parity: ['settings', 'graph', 'ops', 'models', 'passes', 'engines', 'formats', 'train'],
}

/** Package → the packages of this workspace that it may import. (engines/default.ts finds the optional engines by a name that is no literal.) */
const packages = {
  fovea: [],
  'fovea-onednn': ['fovea'],
  'fovea-wasm': ['fovea'],
  'fovea-cli': ['fovea', 'fovea-onednn', 'fovea-wasm'],
}

/**
 * The one import that makes a cycle: reductions and broadcasts are adjoint, so the gradient of each is the other. It is called
 * long after both files are loaded.
 */
const adjoint = 'packages/fovea/src/ops/reduction.ts → packages/fovea/src/ops/broadcast-to.ts'

const problems = []
/** Rows of `folders` that an import needs. */
const used = new Set()
const edges = new Map()

for (const [name, mayImport] of Object.entries(packages)) {
  const source = `packages/${name}/src`
  for (const file of sourceFiles([source], /\.ts$/)) {
    edges.set(file, [])
    for (const { specifier, typeOnly } of importsOf(file)) {
      if (specifier.startsWith('.')) checkRelative(file, source, specifier, typeOnly)
      else checkPackage(file, name, mayImport, specifier)
    }
  }
}
for (const cycle of cycles()) problems.push(`cycle: ${cycle.join(' → ')}`)
for (const [folder, mayImport] of Object.entries(folders)) {
  const unused = mayImport.filter(path => !used.has(`${folder} → ${path}`))
  if (unused.length > 0)
    problems.push(`'${folder}' may import ${unused.join(', ')}, and does not: take that out of its row`)
}
for (const problem of problems) console.log(problem)
process.exit(problems.length > 0 ? 1 : 0)

function importsOf(file) {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const pattern = /^\s*(import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm
  return [...text.matchAll(pattern)].map(match => ({
    specifier: match[3] ?? match[4] ?? match[5],
    typeOnly: match[2] !== undefined,
  }))
}

function checkRelative(file, source, specifier, typeOnly) {
  const target = normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
  if (!existsSync(target)) return problems.push(`${file}: '${specifier}' does not exist`)
  if (!typeOnly && `${file} → ${target}` !== adjoint) edges.get(file).push(target)
  if (!target.startsWith(`${source}/`)) return problems.push(`${file}: imports ${target} of another package by path`)
  if (source !== 'packages/fovea/src') return
  const from = relative(source, file).split('/')
  const to = relative(source, target)
  if (from.length === 1 || !to.includes('/') || to.split('/')[0] === from[0]) return
  const mayImport = folders[from[0]]
  if (mayImport === undefined)
    return problems.push(`${file}: folder '${from[0]}' has no row in scripts/check-imports.mjs`)
  const grants = mayImport.filter(path => to === path || to.startsWith(`${path}/`))
  for (const path of grants) used.add(`${from[0]} → ${path}`)
  if (grants.length === 0) {
    problems.push(`${file}: '${from[0]}' may not import ${to} (allowed: ${mayImport.join(', ') || 'nothing'})`)
  }
}

function checkPackage(file, name, mayImport, specifier) {
  if (specifier.startsWith('node:')) {
    if (name === 'fovea') problems.push(`${file}: imports ${specifier}; the library also runs in browsers`)
    return
  }
  const other = specifier.split('/')[0]
  if (!(other in packages) || mayImport.includes(other)) return
  problems.push(`${file}: ${name} may not import ${other}`)
}

/** Every cycle once, by depth-first search. */
function cycles() {
  const found = []
  const state = new Map()
  const visit = (file, path) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') return void found.push([...path.slice(path.indexOf(file)), file])
    state.set(file, 'open')
    for (const target of edges.get(file) ?? []) visit(target, [...path, file])
    state.set(file, 'done')
  }
  for (const file of edges.keys()) visit(file, [])
  return found
}
