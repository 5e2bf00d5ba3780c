/** @file The claim that a model is torchvision's, for each file of its results in float64 (generate.py beside them made them). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onednnEngine, onednnStatus } from 'fovea-onednn'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { measureParity } from '../../src/parity/measure.js'
import { type ParityFile, parseParityFile } from '../../src/parity/parity-file.js'

export const folder = join(import.meta.dirname, '../../../../../shared/parity')
/** None where the folder is not there. */
export const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
/** Those that take most of the time. */
export const deep = /^(resnet1..|resnet50_train|efficientnet_b[3-7])\./

export const read = (name: string): ParityFile => parseParityFile(JSON.parse(readFileSync(join(folder, name), 'utf8')))

/** Tests of some of the files on the reference engine in float64. */
export function agreeInFloat64(names: readonly string[]): void {
  describe.each(names.filter(name => files.includes(name)))('reference engine in float64: %s', name => {
    test('everything within 1e-6', async () => {
      const { maxLogitError, ...report } = await measureParity(read(name), referenceEngine({ precision: 'float64' }))
      const { maxGradientError = 0, lossError = 0, maxRunningError = 0 } = report
      for (const error of [maxLogitError, maxGradientError, lossError, maxRunningError])
        expect(error).toBeLessThan(1e-6)
      expect(name.includes('train')).toBe(report.maxGradientError !== undefined)
    })
  })
}

/** Tests of some of the files on a compiled engine in float32; where there are none, one that is skipped: a file without tests fails. */
export function agreeInFloat32(what: string, engine: () => Engine, names: readonly string[]): void {
  if (names.length === 0) test.skip(`${what}: there are no results of torchvision in shared/parity`)
  describe.each(names)(`${what}: %s`, name => {
    test('logits within 1e-5, gradients within three times the error of PyTorch in float32', async () => {
      const report = await measureParity(read(name), engine())
      expect(report.parameters).toBe(report.expectedParameters)
      expect(report.maxLogitError).toBeLessThan(1e-5)
      for (const error of ['maxGradientError', 'lossError', 'maxRunningError'] as const) {
        const allowed = Math.max(1e-3, 3 * (report.float32[error] ?? 0))
        if (report[error] !== undefined) expect(report[error], error).toBeLessThan(allowed)
      }
    })
  })
}

/** The same on the native engine. */
export function agreeNatively(names: readonly string[]): void {
  describe.skipIf(!onednnStatus().available)('native engine', () =>
    agreeInFloat32('onednn', () => onednnEngine({ threads: 2 }), names),
  )
}
