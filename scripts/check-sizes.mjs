/** @file The meter of file lengths: a file over 300 lines is named, one over 500 fails. Long files hold two concepts. */
import { readFileSync } from 'node:fs'
import { sourceFiles } from './source-files.mjs'

const soft = 300
const hard = 500

const long = sourceFiles(['packages', 'scripts', 'bench', 'examples'], /\.(ts|mjs|h|cc)$/)
  .map(file => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
  .filter(({ lines }) => lines > soft)
  .sort((a, b) => b.lines - a.lines)
for (const { file, lines } of long) console.log(`${file}: ${lines} lines (budget ${soft}, limit ${hard})`)
process.exit(long.some(({ lines }) => lines > hard) ? 1 : 0)
