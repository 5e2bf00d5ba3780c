/** @file Starts the programs of examples/, each in a folder of its own. */
import { execFileSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './run-fovea.js'

const root = join(import.meta.dirname, '../../..')

/**
 * What an example prints.
 * @param changed makes what runs of what the file holds. Default: nothing is changed
 */
export function printed(file: string, changed = (code: string): string => code): string {
  const folder = temporaryFolder()
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, file), changed(readFileSync(join(root, 'examples', file), 'utf8')))
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
}

/** What an example prints that trains, and the accuracy in percent that it reaches; NaN if it says none. */
export function learned(file: string, changed?: (code: string) => string): { text: string; accuracy: number } {
  const text = printed(file, changed)
  const [, percent, fraction] = /([\d.]+) % of the held-out|accuracy: ([\d.]+)/.exec(text) ?? []
  return { text, accuracy: Number(percent ?? 100 * Number(fraction)) }
}
