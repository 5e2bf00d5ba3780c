/**
 * @file What a kernel's table (table.ts) is made of: fields, each with a role. From them follow the types of what a lowering
 * gives (emit.ts), the structs that C++ reads (header.ts), and what is checked when a plan is built. Knows no kernel.
 */

/** Names that are numbers on the native side, counted from 0. */
export const enumerations = {
  /** Floats first. */
  ElementType: ['float32', 'bfloat16', 'float16', 'int32', 'uint8', 'int8'],
  Activation: ['none', 'relu', 'relu6', 'silu', 'gelu', 'sigmoid', 'hardSwish'],
  BinaryOperation: ['add', 'multiply', 'divide', 'equal'],
  Reduction: ['sum', 'maximum'],
  /** Of a convolution. */
  Direction: ['forward', 'inputGradient', 'weightGradient'],
} as const

export type Enumeration = keyof typeof enumerations
export type EnumerationName<E extends Enumeration> = (typeof enumerations)[E][number]

export const enumerationNumber = <E extends Enumeration>(of: E, name: EnumerationName<E>): number =>
  (enumerations[of] as readonly string[]).indexOf(name)

export const isElementType = (name: string): name is EnumerationName<'ElementType'> =>
  (enumerations.ElementType as readonly string[]).includes(name)

/** The types of a buffer's elements, with their bytes; a field of ElementType may say it as well, by its name. */
export const elementBytes = { float32: 4, int32: 4, uint8: 1, int8: 1, bfloat16: 2, double: 8, byte: 1 } as const

/**
 * `read`, `write`: what a step reads and writes. `partial`: what each thread adds to, cleared before; `partials`: those of all
 * threads, read. `scratch`: room of each thread that holds nothing between steps, which no lowering names.
 */
export type BufferRole = 'read' | 'write' | 'partial' | 'partials' | 'scratch'

export interface BufferField {
  readonly role: BufferRole
  readonly type: string
  /** How many elements it has at least: arithmetic (size.ts) over the kernel's numbers. */
  readonly count: string
  /** May be absent: always, or exactly where another is. */
  readonly optional?: 'always' | { readonly as: string }
}

export interface NumberField {
  readonly role: 'integer' | 'flag' | 'list' | 'number'
  /** The least that an integer, or each of a list, may be. */
  readonly from: number
}

export interface EnumerationField {
  readonly role: 'enumeration'
  readonly of: Enumeration
  readonly allowed: readonly string[]
}

export type Field = BufferField | NumberField | EnumerationField

export const isBuffer = (field: Field): field is BufferField => 'count' in field
export const isWritten = ({ role }: BufferField): boolean => role !== 'read' && role !== 'partials'

const buffer =
  <const R extends BufferRole>(role: R) =>
  (type: string, count: string) => ({ role, type, count })

export const read = buffer('read')
export const write = buffer('write')
export const partial = buffer('partial')
export const partials = buffer('partials')
export const scratch = buffer('scratch')

/** @param as the field that is absent where this one is; without it, none */
export const optional = <F extends BufferField>(field: F, as?: string) => ({
  ...field,
  optional: as === undefined ? ('always' as const) : { as },
})

/** A whole number: at least 1, as what is divided by; or at least 0. */
export const size = { role: 'integer', from: 1 } as const
export const count = { role: 'integer', from: 0 } as const
export const flag = { role: 'flag', from: 0 } as const
/** Whole numbers for each axis: all lists of a kernel are of one length. */
export const dims = { role: 'list', from: 1 } as const
export const strides = { role: 'list', from: 0 } as const
/** What quantized numbers are of. */
export const quantizedType = { role: 'enumeration', of: 'ElementType', allowed: ['uint8', 'int8'] } as const
export const integerType = { role: 'enumeration', of: 'ElementType', allowed: ['int32', 'uint8', 'int8'] } as const
/** Sums of products of integers, and what becomes of them. */
export const sumType = { role: 'enumeration', of: 'ElementType', allowed: ['float32', 'int32'] } as const
export const resultType = { role: 'enumeration', of: 'ElementType', allowed: ['float32', 'uint8'] } as const
/** A double. */
export const number = { role: 'number', from: 0 } as const

const oneOf = <const E extends Enumeration>(of: E) => ({ role: 'enumeration', of, allowed: enumerations[of] }) as const
export const anyType = oneOf('ElementType')
export const floatType = {
  role: 'enumeration',
  of: 'ElementType',
  allowed: ['float32', 'bfloat16', 'float16'],
} as const
/** What is moved or compared, and not computed with. */
export const movedType = {
  role: 'enumeration',
  of: 'ElementType',
  allowed: ['float32', 'bfloat16', 'float16', 'uint8'],
} as const
export const activation = oneOf('Activation')
export const binaryOperation = oneOf('BinaryOperation')
export const reduction = oneOf('Reduction')
