/**
 * @file The messages of an ONNX file of which we read or write anything, as data: for each field its number and kind. The numbers
 * are those of ONNX's onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html). The types of messages follow from the table.
 */

/** What a field holds: a scalar, or a message by its name. Whole numbers become a JavaScript number, exact up to 2^53. */
export type ScalarKind = 'int32' | 'int64' | 'float' | 'string' | 'bytes'

/** `[number, kind]`, with `'repeated'` where there may be several, and `'packed'` for the numbers of a tensor, which stay bytes until they are wanted. */
export type Field = readonly [number: number, kind: string, many?: 'repeated' | 'packed']

export const messages = {
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
    metadataProps: [14, 'StringStringEntryProto', 'repeated'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto', 'repeated'],
    input: [11, 'ValueInfoProto', 'repeated'],
    output: [12, 'ValueInfoProto', 'repeated'],
    sparseInitializer: [15, 'SparseTensorProto', 'repeated'],
  },
  /** Of which is known that it is there, and no more. */
  SparseTensorProto: {},
  NodeProto: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'],
    domain: [7, 'string'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    floats: [7, 'float', 'repeated'],
    ints: [8, 'int64', 'repeated'],
    type: [20, 'int32'],
  },
  TensorProto: {
    dims: [1, 'int64', 'repeated'],
    dataType: [2, 'int32'],
    floatData: [4, 'float', 'packed'],
    int32Data: [5, 'int32', 'packed'],
    int64Data: [7, 'int64', 'packed'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'packed'],
    externalData: [13, 'StringStringEntryProto', 'repeated'],
    dataLocation: [14, 'int32'],
  },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: { tensorType: [1, 'TensorTypeProto'] },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  TensorShapeProto: { dim: [1, 'DimensionProto', 'repeated'] },
  DimensionProto: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
} as const satisfies Record<string, Record<string, Field>>

export type MessageName = keyof typeof messages

interface Scalars {
  int32: number
  int64: number
  float: number
  string: string
  bytes: Uint8Array
}
type One<Kind> = Kind extends keyof Scalars ? Scalars[Kind] : Kind extends MessageName ? Message<Kind> : never

type Many<F> = F extends readonly [number, infer Kind, 'repeated']
  ? readonly One<Kind>[]
  : F extends readonly [number, unknown, 'packed']
    ? Uint8Array
    : never

/** A message as it is read: lists that are not there are empty. */
export type Message<Name extends MessageName> = {
  readonly [K in keyof (typeof messages)[Name] as Many<(typeof messages)[Name][K]> extends never ? K : never]?:
    | One<KindOf<(typeof messages)[Name][K]>>
    | undefined
} & {
  readonly [K in keyof (typeof messages)[Name] as Many<(typeof messages)[Name][K]> extends never ? never : K]: Many<
    (typeof messages)[Name][K]
  >
}
type KindOf<F> = F extends readonly [number, infer Kind] ? Kind : never

/** A message as it is written: what is left out is not there. */
export type Draft<Name extends MessageName> = {
  readonly [K in keyof (typeof messages)[Name]]?: DraftField<(typeof messages)[Name][K]> | undefined
}
type DraftOne<Kind> = Kind extends keyof Scalars ? Scalars[Kind] : Kind extends MessageName ? Draft<Kind> : never
type DraftField<F> = F extends readonly [number, infer Kind, 'repeated']
  ? readonly DraftOne<Kind>[]
  : F extends readonly [number, unknown, 'packed']
    ? Uint8Array
    : DraftOne<KindOf<F>>
