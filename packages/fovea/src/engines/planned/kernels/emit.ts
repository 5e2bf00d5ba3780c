/** @file The typed way from named fields to what a step of a plan holds: buffers, whole numbers and doubles, in their order. */
import type { Operand } from '../steps.js'
import {
  type BufferField,
  type BufferRole,
  type Enumeration,
  type EnumerationName,
  elementBytes,
  enumerationNumber,
  enumerations,
  type Field,
  isBuffer,
  isWritten,
} from './field.js'
import { evaluate, type Numbers } from './size.js'
import { type KernelName, kernels } from './table.js'

type FieldsOf<K extends KernelName> = (typeof kernels)[K]

/** What a lowering gives for a field. */
type Given<F> = F extends { readonly role: 'enumeration'; readonly allowed: readonly (infer Name)[] }
  ? Name
  : F extends { readonly role: 'flag' }
    ? boolean
    : F extends { readonly role: 'list' }
      ? readonly number[]
      : F extends { readonly role: 'integer' | 'number' }
        ? number
        : F extends { readonly optional: unknown }
          ? Operand | undefined
          : Operand

type Lasting<K extends KernelName> = {
  [N in keyof FieldsOf<K>]: FieldsOf<K>[N] extends { readonly role: 'scratch' } ? never : N
}[keyof FieldsOf<K>]

/** All fields of a kernel but its scratch, for which memory is taken when it is emitted. */
export type KernelFields<K extends KernelName> = { readonly [N in Lasting<K>]: Given<FieldsOf<K>[N]> }

type NumberNames<K extends KernelName> = {
  [N in keyof FieldsOf<K>]: FieldsOf<K>[N] extends { readonly role: BufferRole } ? never : N
}[keyof FieldsOf<K>]

/** Those of a kernel's numbers that a size depends on. */
export type KernelNumbers<K extends KernelName> = { readonly [N in NumberNames<K>]?: Given<FieldsOf<K>[N]> }

export interface Encoded {
  readonly operands: readonly (Operand | undefined)[]
  /** Of the operands, by position: which are written. */
  readonly writes: readonly number[]
  readonly ints: readonly number[]
  readonly floats: readonly number[]
}

type AnyFields = Readonly<Record<string, Operand | undefined | string | boolean | number | readonly number[]>>

const fieldsOf = (kernel: KernelName): [string, Field][] => Object.entries(kernels[kernel])

/**
 * What a step of this kernel holds.
 * @param scratch takes so many bytes for each thread
 */
export function encode<K extends KernelName>(
  kernel: K,
  fields: KernelFields<K>,
  scratch: (bytes: number) => Operand,
): Encoded {
  const given = fields as unknown as AnyFields
  const numbers = numbersOf(kernel, given)
  const buffers = fieldsOf(kernel).filter((entry): entry is [string, BufferField] => isBuffer(entry[1]))
  const ints: number[] = []
  const floats: number[] = []
  for (const [name, field] of fieldsOf(kernel)) {
    if (isBuffer(field)) continue
    const value = numbers[name]
    if (field.role === 'number') floats.push(value as number)
    else if (typeof value === 'number') ints.push(value)
    else ints.push(value.length, ...value) // A list begins with its length.
  }
  return {
    operands: buffers.map(([name, field]) =>
      field.role === 'scratch' ? scratch(bytesIn(field, numbers)) : (given[name] as Operand | undefined),
    ),
    writes: buffers.flatMap(([, field], i) => (isWritten(field) ? [i] : [])),
    ints,
    floats,
  }
}

/** What a step of a kernel is given beside its buffers, by name. */
export type Fields = Readonly<Record<string, number | string | boolean | readonly number[]>>

/** The fields that `encode` made these numbers of. */
export function namedFields(kernel: KernelName, ints: readonly number[], floats: readonly number[]): Fields {
  const [integers, numbers] = [ints.values(), floats.values()]
  const take = (from: Iterator<number>): number => from.next().value
  const value = (field: Exclude<Field, BufferField>): Fields[string] => {
    if (field.role === 'number') return take(numbers)
    const integer = take(integers)
    if (field.role === 'enumeration') return enumerations[field.of][integer]
    if (field.role === 'flag') return integer !== 0
    return field.role === 'list' ? Array.from({ length: integer }, () => take(integers)) : integer
  }
  return Object.fromEntries(
    fieldsOf(kernel).flatMap(([name, field]) => (isBuffer(field) ? [] : [[name, value(field)]])),
  )
}

/** The least bytes of a kernel's buffer. */
export function kernelBytes<K extends KernelName>(
  kernel: K,
  buffer: keyof FieldsOf<K>,
  numbers: KernelNumbers<K>,
): number {
  const field = (kernels[kernel] as Readonly<Record<PropertyKey, Field>>)[buffer] as BufferField
  return bytesIn(field, numbersOf(kernel, numbers as AnyFields))
}

function bytesIn({ type, count }: BufferField, numbers: Numbers): number {
  return elementBytes[type as keyof typeof elementBytes] * evaluate(count, numbers)
}

/** All as numbers: flags, and names by their place. */
function numbersOf(kernel: KernelName, given: AnyFields): Numbers {
  return Object.fromEntries(
    fieldsOf(kernel).flatMap(([name, field]) => {
      const value = given[name]
      if (isBuffer(field) || value === undefined) return []
      if (field.role !== 'enumeration') return [[name, typeof value === 'object' ? value : Number(value)]]
      return [[name, enumerationNumber(field.of, value as EnumerationName<Enumeration>)]]
    }),
  ) as Numbers
}
