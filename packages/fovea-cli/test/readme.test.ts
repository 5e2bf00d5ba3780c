/**
 * @file The README says what is so: its table of models is generated, its snippets are the examples, and those run.
 * `UPDATE_README=1` writes the generated parts into it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createModel, modelNames, summarize } from 'fovea'
import { onednnStatus } from 'fovea-onednn'
import { expect, test } from 'vitest'
import { fovea } from './run-fovea.js'

const root = join(import.meta.dirname, '../../..')
const path = join(root, 'README.md')

/** The text between `<!-- name -->` and `<!-- /name -->`; with UPDATE_README it becomes `expected` first. */
function part(name: string, expected?: string): string {
  const readme = readFileSync(path, 'utf8')
  const [before, after] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]
  const [start, end] = [readme.indexOf(before), readme.indexOf(after)]
  expect(start, `README.md has a part '${name}'`).toBeGreaterThan(0)
  if (expected === undefined || !process.env['UPDATE_README']) return readme.slice(start + before.length, end)
  writeFileSync(path, readme.slice(0, start + before.length) + expected + readme.slice(end))
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

test('the table of speed is the one that was measured', () => {
  const lines = readFileSync(join(root, 'docs/speed.md'), 'utf8').split('\n')
  const table = lines.filter(line => line.startsWith('|')).join('\n')
  expect(table).toContain('| train `resnet20`, batch 128 | float32 |')
  expect(part('speed', table)).toBe(table)
})

test.each([
  ['snippet', 'train.mjs'],
  ['keras', 'keras.mjs'],
])('the snippet %s is examples/%s', (name, file) => {
  const snippet = `\`\`\`js\n${example(file)}\n\`\`\``
  expect(part(name, snippet)).toBe(snippet)
})

test('every command of the README is one that exists, with options that exist', async () => {
  const commands = [...readFileSync(path, 'utf8').matchAll(/npx fovea ([\w-]+)([^\n`#]*)/g)]
  expect(commands.length).toBeGreaterThan(3)
  const help = new Map<string, string>()
  for (const [, verb, rest] of commands) {
    if (!help.has(verb)) help.set(verb, (await fovea(verb === 'help' ? ['help'] : ['help', verb])).stdout)
    expect(help.get(verb), verb).toContain('Usage: fovea')
    for (const option of rest.match(/--[a-z-]+/g) ?? []) expect(help.get(verb), `fovea ${verb}`).toContain(option)
  }
})

test('files that the README shows or links to are there', () => {
  const links = [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target)
  for (const target of links.filter(link => !link.includes('://')))
    expect(existsSync(join(root, target)), target).toBe(true)
})

test.skipIf(!onednnStatus().available).each(['train.mjs', 'keras.mjs'])('examples/%s runs and learns', file => {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-example-'))
  // Packages are found from where the script lies, results go to where it is started.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const text = execFileSync(process.execPath, [join(root, 'examples', file)], { cwd: folder, encoding: 'utf8' })
  const accuracy = /([\d.]+) % of the held-out|accuracy: ([\d.]+)/.exec(text)
  expect(Number(accuracy?.[1] ?? 100 * Number(accuracy?.[2])), text).toBeGreaterThan(75)
})
