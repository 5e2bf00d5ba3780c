/** @file No source file is longer than 300 lines: a longer one holds two concepts. */
import { readFileSync } from 'node:fs'
import { sourceFiles } from './source-files.mjs'

const limit = 300

const long = sourceFiles(['packages', 'scripts', 'bench', 'examples'], /\.(ts|mjs|py|h|cc)$/)
  .map(file => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
  .filter(({ lines }) => lines > limit)
  .sort((a, b) => b.lines - a.lines)
for (const { file, lines } of long) {
  console.error(`${file}: ${lines} lines; a file has ${limit} at most: give each of its concepts a file`)
}
process.exit(long.length > 0 ? 1 : 0)
