/** @file The system's C++ compiler, and what a command prints. */
import { execFileSync } from 'node:child_process'

/** The output of a command; '' where it fails or is not there. */
export function outputOf(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

/** $CXX, else the first that is there; undefined where none is. */
export function findCompiler() {
  const wished = process.env.CXX ? [process.env.CXX] : []
  return [...wished, 'c++', 'g++', 'clang++'].find(name => outputOf(name, ['--version']) !== '')
}
