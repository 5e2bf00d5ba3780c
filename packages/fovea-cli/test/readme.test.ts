/**
 * @file README and docs/ say what is so: tables of models and recipes are generated, snippets are the examples, and those
 * run; commands and options exist. `UPDATE_README=1` writes the generated parts.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { createModel, modelNames, recipeNames, recipes, summarize } from 'fovea'
import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { learned, printed } from './run-example.js'
import { fovea } from './run-fovea.js'

const root = join(import.meta.dirname, '../../..')
/** The pages for users. */
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap(name => (name.endsWith('.md') ? `docs/${name}` : [])),
]
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The text between `<!-- name -->` and `<!-- /name -->`; with UPDATE_README it becomes `expected` first. */
function part(name: string, expected?: string, page = 'README.md'): string {
  const text = textOf(page)
  const [before, after] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]
  const [start, end] = [text.indexOf(before), text.indexOf(after)]
  expect(start, `${page} has a part '${name}'`).toBeGreaterThan(0)
  if (expected === undefined || !process.env['UPDATE_README']) return text.slice(start + before.length, end)
  writeFileSync(join(root, page), text.slice(0, start + before.length) + expected + text.slice(end))
  return expected
}

/** An example without the comment that heads it. */
const example = (name: string): string =>
  readFileSync(join(root, 'examples', name), 'utf8')
    .replace(/^\/\/.*\n/, '')
    .trim()

test('the table of models is that of the registry', () => {
  const rows = modelNames.map(name => {
    const model = createModel(name)
    const { parameters, multiplyAdds } = summarize(model)
    const millions = (value: number) => (value / 1e6).toPrecision(3)
    const { size } = model.preprocessing
    return `| \`${name}\` | ${size[0]}×${size[1]} | ${model.labels.length} | ${parameters.toLocaleString('en-US')} | ${millions(multiplyAdds)} |`
  })
  const table = [
    '| model | image | classes | parameters | multiply-adds (millions) |',
    '| --- | --- | --- | ---: | ---: |',
    ...rows,
  ]
  expect(part('models', table.join('\n'))).toBe(table.join('\n'))
})

test('the table of recipes is that of the library', () => {
  const rows = recipeNames.map(name => `| \`${name}\` | ${recipes[name].about} | ${recipes[name].batchSize} |`)
  const table = ['| recipe | what it is | images per step |', '| --- | --- | ---: |', ...rows].join('\n')
  expect(part('recipes', table, 'docs/training.md')).toBe(table)
})

test('every option that docs/training.md tells of is one of fovea train', async () => {
  const { stdout } = await fovea(['help', 'train'])
  const options = new Set(textOf('docs/training.md').match(/--[a-z][a-z0-9-]+/g))
  expect(options.size).toBeGreaterThan(10)
  for (const option of options) expect(stdout).toContain(`${option} `)
})

test('the table of speed is the one that was measured', () => {
  const lines = readFileSync(join(root, 'docs/speed.md'), 'utf8').split('\n')
  const table = lines.filter(line => line.startsWith('|')).join('\n')
  expect(table).toContain('| train `resnet20` at 32×32, batch 128 | float32 |')
  expect(part('speed', table)).toBe(table)
})

test.each([
  ['snippet', 'train.mjs', 'README.md'],
  ['keras', 'keras.mjs', 'README.md'],
  ['features', 'features.mjs', 'docs/training.md'],
  ['page', 'page.html', 'README.md'],
])('the snippet %s is examples/%s', (name, file, page) => {
  const snippet = `\`\`\`${extname(file).slice(1).replace('mjs', 'js')}\n${example(file)}\n\`\`\``
  expect(part(name, snippet, page)).toBe(snippet)
})

test('every command of the pages is one that exists, with options that exist', async () => {
  const commands = pages.flatMap(page => [...textOf(page).matchAll(/npx fovea ([\w-]+)([^\n`#]*)/g)])
  expect(commands.length).toBeGreaterThan(3)
  const help = new Map<string, string>()
  for (const [, verb, rest] of commands) {
    if (!help.has(verb)) help.set(verb, (await fovea(verb === 'help' ? ['help'] : ['help', verb])).stdout)
    expect(help.get(verb), verb).toContain('Usage: fovea')
    for (const option of rest.match(/--[a-z-]+/g) ?? []) expect(help.get(verb), `fovea ${verb}`).toContain(option)
  }
})

test.each(pages)('what %s shows or links to is there', page => {
  const links = [...textOf(page).matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target)
  for (const target of links.filter(link => !link.includes('://')))
    expect(existsSync(join(root, dirname(page), target)), target).toBe(true)
})

test.skipIf(!onednnStatus().available).each(['train.mjs', 'keras.mjs'])('examples/%s runs and learns', file => {
  // Of three epochs one: examples.long.test.ts has all.
  const { text, accuracy } = learned(file, code => code.replace(/epochs: 3/, 'epochs: 1'))
  expect(accuracy, text).toBeGreaterThan(60)
})

test.skipIf(!onednnStatus().available)('examples/features.mjs prints the shapes of two layers', () => {
  expect(printed('features.mjs')).toBe('layer2.1.relu2 [ 1, 8, 8, 128 ] 8192\nlayer4.1.relu2 [ 1, 2, 2, 512 ] 2048\n')
})
