/**
 * @file What our graph computes for each operator of ONNX that classifiers are made of, where an image goes in. A table beside that
 * of `to-onnx.ts`. What has no row, or has it in another form, is refused by name.
 */
import { FormatError } from '../../../errors.js'
import type { ReadNode } from '../read-node.js'
import { arithmetic } from './arithmetic.js'
import { integers } from './integers.js'
import { layers } from './layers.js'
import type { Row } from './row.js'
import { shapes } from './shapes.js'
import { poolings } from './windows.js'

const rows: Readonly<Record<string, Row>> = { ...layers, ...arithmetic, ...poolings, ...shapes, ...integers }

/** The row of an operator. @throws FormatError for one that is not in the table */
export function rowOf({ op }: ReadNode): Row {
  if (Object.hasOwn(rows, op)) return rows[op]
  throw new FormatError('this operator is not read')
}
