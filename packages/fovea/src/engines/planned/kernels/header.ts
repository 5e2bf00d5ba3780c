/**
 * @file The table of kernels as C++: enumerations, a struct of named fields for each kernel, the list of kernels, and what a plan
 * is checked by. The package of an engine writes it where its native side is built.
 */
import { bfloat16Kernels } from './bfloat16-kernels.js'
import { convolutionKernels } from './convolution-kernels.js'
import { type BufferField, elementBytes, enumerations, type Field, isBuffer, type NumberField } from './field.js'
import { integerKernels } from './integer-kernels.js'
import { functions } from './size.js'
import { constants, kernels } from './table.js'

const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const capital = (name: string): string => name[0].toUpperCase() + name.slice(1)
const constant = (name: string): string => `k${capital(name)}`
const struct = (kernel: string): string => `${capital(kernel)}Fields`

const types: Readonly<Record<string, string>> = {
  ...{ float32: 'float', int32: 'int32_t', uint8: 'uint8_t', int8: 'int8_t', double: 'double', byte: 'char' },
}

/** What is given in its own order: buffers, whole numbers, doubles. */
function member(name: string, field: Field): string {
  const own = snake(name)
  if (isBuffer(field)) {
    const type = types[field.type] ?? 'void' // A type of the plan's choice: the kernel casts.
    if (field.role === 'read') return `const ${type}* ${own} = take.buffer<const ${type}>();`
    if (field.role === 'write') return `${type}* ${own} = take.buffer<${type}>();`
    return `PerThread<${type}> ${own} = take.per_thread<${type}>();`
  }
  if (field.role === 'number') return `double ${own} = take.number();`
  if (field.role === 'list') return `List ${own} = take.list();`
  if (field.role === 'flag') return `bool ${own} = take.integer() != 0;`
  return `int64_t ${own} = take.integer();`
}

type Kernels = Readonly<Record<string, Readonly<Record<string, Field>>>>

const enumerationLines = Object.entries(enumerations).map(
  ([name, values]) => `enum ${name} : int64_t { ${values.map(constant).join(', ')} };`,
)
const constantLines = Object.entries(constants).map(
  ([name, value]) => `constexpr int64_t ${constant(name)} = ${value};`,
)
const structLine = (kernel: string, fields: Kernels[string]): string =>
  [
    `struct ${struct(kernel)} : StepFields {`,
    `  explicit ${struct(kernel)}(const StepArgs& step) : StepFields(step) {}`,
    ...Object.entries(fields).map(([name, field]) => `  ${member(name, field)}`),
    '};',
  ].join('\n')
const list = (of: Kernels): string =>
  Object.keys(of)
    .map(kernel => `  KERNEL(${snake(kernel)}, ${struct(kernel)})`)
    .join(' \\\n')

const enumerationsHeader = `// Names that are numbers in TypeScript too: made from fovea/src/engines/planned/kernels/field.ts and table.ts.
#pragma once
#include <cstdint>

${enumerationLines.join('\n')}
${constantLines.join('\n')}
`

/** native/kernels reads it. */
const fieldsHeader = (
  of: Kernels,
): string => `// The fields of our kernels, by name: made from fovea/src/engines/planned/kernels/table.ts.
#pragma once
#include "enumerations.h"
#include "fields.h"

#define FOVEA_KERNELS(KERNEL) \\
${list(of)}

#define FOVEA_CONVOLUTION_KERNELS(KERNEL) \\
${list(convolutionKernels)}

namespace {

${Object.entries({ ...of, ...convolutionKernels })
  .map(([kernel, fields]) => structLine(kernel, fields))
  .join('\n\n')}

}  // namespace
`

/** A size in C++: numbers of the kernel as doubles, so that none overflows. */
const inCpp = (expression: string): string =>
  expression.replace(/[a-zA-Z]\w*/g, name => {
    if (name in functions) return snake(name)
    return name in constants ? constant(name) : `n(f.${snake(name)})`
  })

function bufferRule(name: string, { role, optional }: BufferField, names: readonly string[]): string {
  const as = optional === undefined ? -1 : optional === 'always' ? names.indexOf(name) : names.indexOf(optional.as)
  return `{"${name}", ${role === 'scratch' || role === 'partial' || role === 'partials'}, ${as}}`
}

function integerRule(name: string, field: Exclude<Field, BufferField>): string {
  if (field.role === 'enumeration') {
    const all: readonly string[] = enumerations[field.of]
    const allowed = field.allowed.reduce((bits, one) => bits | (1 << all.indexOf(one)), 0)
    return `{"${name}", IntegerRule::kName, ${allowed}}`
  }
  const kinds: Readonly<Record<NumberField['role'], string>> = {
    ...{ flag: 'kFlag', list: 'kList', integer: 'kInteger', number: '' },
  }
  return `{"${name}", IntegerRule::${kinds[field.role]}, ${field.from}}`
}

function bytes(field: BufferField): string {
  const each = types[field.type] ? elementBytes[field.type as 'byte'] : undefined
  const fixed = each ?? (field.type === 'bfloat16' ? elementBytes.bfloat16 : undefined)
  return `${fixed === undefined ? `element_bytes(f.${snake(field.type)})` : `${fixed}.0`} * (${inCpp(field.count)})`
}

function signatureLine(kernel: string, fields: Kernels[string]): string {
  const all = Object.entries(fields)
  const buffers = all.filter((entry): entry is [string, BufferField] => isBuffer(entry[1]))
  const rest = all.filter((entry): entry is [string, Exclude<Field, BufferField>] => !isBuffer(entry[1]))
  const integers = rest.filter(([, { role }]) => role !== 'number')
  const names = buffers.map(([name]) => name)
  return `    {"${kernel}",
     {${buffers.map(([name, field]) => bufferRule(name, field, names)).join(', ')}},
     {${integers.map(([name, field]) => integerRule(name, field)).join(', ')}},
     ${rest.length - integers.length},
     [](const StepArgs& step, double* bytes) {
       const ${struct(kernel)} f(step);
${buffers.map(([, field]) => `       *bytes++ = ${bytes(field)};`).join('\n')}
     }},`
}

/** native/signature.cc reads it. */
const signaturesHeader = (
  of: Kernels,
): string => `// What a step of each kernel must hold, in the order of FOVEA_KERNELS and, behind them, FOVEA_CONVOLUTION_KERNELS: made from fovea/src/engines/planned/kernels/table.ts.
const Signature kSignatures[] = {
${Object.entries({ ...of, ...convolutionKernels })
  .map(([kernel, fields]) => signatureLine(kernel, fields))
  .join('\n')}
};
`

const without = (left: Kernels): Kernels =>
  Object.fromEntries(Object.entries(kernels).filter(([kernel]) => !(kernel in left)))

/** What is written where the native engine is built, by the name of the file. */
export const kernelHeaders: Readonly<Record<string, string>> = headersOf(without(convolutionKernels))

/** Those of WebAssembly, which has no products of bfloat16, and whose convolutions do all that follows them. */
const inWebAssembly = without({ ...convolutionKernels, ...bfloat16Kernels, requantize: integerKernels.requantize })
export const wasmKernelHeaders: Readonly<Record<string, string>> = headersOf(inWebAssembly)
/** In the order of its table. */
export const wasmKernels: readonly string[] = Object.keys({ ...inWebAssembly, ...convolutionKernels })

function headersOf(of: Kernels): Record<string, string> {
  return {
    'enumerations.h': enumerationsHeader,
    'kernel_fields.h': fieldsHeader(of),
    'kernel_signatures.h': signaturesHeader(of),
  }
}
