/** @file Lists source files for the checks: what a person wrote, without what was installed or built. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const generated = new Set(['node_modules', 'dist', 'build', '.deps', 'assets'])

/**
 * @param {string[]} folders
 * @param {RegExp} pattern what the file's name must match
 * @returns {string[]} paths, sorted
 */
export function sourceFiles(folders, pattern) {
  const found = []
  const visit = folder => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !generated.has(entry.name)) visit(path)
      else if (entry.isFile() && pattern.test(entry.name)) found.push(path)
    }
  }
  for (const folder of folders) if (existsSync(folder)) visit(folder)
  return found.sort()
}
