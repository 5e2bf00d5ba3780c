/** @file Whatever JavaScript hands to the addon, the answer is a result or an exception with a message. */
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { type EnumerationName, enumerationNumber } from '../../fovea/src/engines/planned/kernels/field.js'
import type { NativePlan } from '../src/addon.js'
import { findAddon } from '../src/find-addon.js'
import { onednnStatus } from '../src/index.js'

const { available } = onednnStatus()
const open = available ? findAddon().addon : undefined

/** The addon's methods as anyone can call them. */
type Loose = Record<keyof NativePlan, (...values: unknown[]) => unknown>
const plan = (threads: unknown = 2): Loose => {
  const Plan = open!.Plan as unknown as new (threads: unknown) => Loose
  return new Plan(threads)
}

const convolution = {
  ...{ direction: 0, type: 0, batch: 1, inChannels: 3, inHeight: 8, inWidth: 8, outChannels: 4, outHeight: 8 },
  ...{ outWidth: 8, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, top: 1, bottom: 1, left: 1, right: 1 },
  ...{
    dilationY: 1,
    dilationX: 1,
    groups: 1,
    bias: 0,
    activation: 0,
    sum: 0,
    threads: 1,
  },
}
const copy = { kernel: 'copy', buffers: [0, 1], strides: [0, 0], ints: [16], floats: [], once: false }
const places = [
  [0, 0, 16, 0],
  [1, 0, 16, 0],
]
const loop = (step: object = {}) => ({ slices: 0, imagesPerSlice: 1, zeroed: [], steps: [{ ...copy, ...step }] })
const relu = ({ type }: { type: EnumerationName<'ElementType'> }) => {
  const ints = [4, enumerationNumber('ElementType', type), enumerationNumber('Activation', 'relu')]
  return { kernel: 'activation', ints }
}
/** `lists`: dims and strides, each after its length. */
const scale = (lists: number[]) => ({ kernel: 'scale', ints: [0, ...lists], floats: [1] })
const sgd = (buffers: number[]) => ({
  ...{ kernel: 'sgd', buffers, strides: buffers.map(() => 0), ints: [1, 0], floats: [0.9, 0] },
})
const merge = { kernel: 'batchNormMerge', buffers: [2, 0, 1], strides: [0, 0, 0], ints: [2] }
const built = (): Loose => {
  const one = plan()
  one.build(64, 64, places, [loop()])
  return one
}

describe.skipIf(!available)('the addon', () => {
  test('does what it is asked for', async () => {
    const one = built()
    one.write(0, -1, -1, Float32Array.of(1, 2, 3, 4))
    await one.run(true, true)
    const array = new Float32Array(4)
    one.read(1, -1, -1, array)
    expect([...array]).toEqual([1, 2, 3, 4])
    expect((one.events() as Float64Array).length).toBe(4)
    expect(plan().convolution(convolution)).toMatchObject({ id: 0 })
  })

  test.each([
    ['nothing', undefined, 'threads must be a number'],
    ['a string', '2', 'threads must be a number'],
    ['none', 0, 'threads must be a whole number from 1 to 4096'],
    ['a negative number', -1, 'threads must be a whole number'],
    ['a fraction', 1.5, 'threads must be a whole number'],
    ['NaN', Number.NaN, 'threads must be a whole number'],
    ['too many', 1e9, 'threads must be a whole number'],
  ])('takes no threads that are %s', (_, threads, message) => {
    const Plan = open!.Plan as unknown as new (...values: unknown[]) => Loose
    expect(() => new Plan(threads)).toThrow(message)
  })

  test.each<[string, object | undefined, string]>([
    ['missing', undefined, 'spec must be an object'],
    ['incomplete', { direction: 0 }, 'type must be a number'],
    ['of an unknown direction', { ...convolution, direction: 3 }, 'direction must be a whole number from 0 to 2'],
    ['of an unknown type', { ...convolution, type: 77 }, 'unknown element type 77'],
    ['of no groups', { ...convolution, groups: 0 }, 'groups must be a whole number from 1'],
    ['without stride', { ...convolution, strideX: 0 }, 'strideX must be a whole number from 1'],
    ['of groups that do not divide its channels', { ...convolution, groups: 3 }, 'could not create'],
    ['of more groups than channels', { ...convolution, groups: 8 }, 'could not create'],
    ['of a negative size', { ...convolution, inHeight: -8 }, 'inHeight must be a whole number from 1'],
    ['of sizes that do not fit', { ...convolution, outHeight: 5 }, 'could not create'],
    ['of too many threads', { ...convolution, threads: 1e7 }, 'threads must be a whole number from 1 to'],
  ])('makes no convolution that is %s', (_, spec, message) => {
    expect(() => plan().convolution(spec)).toThrow(message)
  })

  test('makes no convolution of sizes that oneDNN would divide by the rest of', () => {
    const sizes = ['batch', 'inChannels', 'outChannels', 'inWidth', 'kernelWidth', 'strideX', 'dilationX', 'groups']
    for (const direction of [0, 1, 2]) {
      for (const size of [...sizes, 'left']) {
        for (const value of [2 ** 31, 2 ** 32, 2 ** 40]) {
          const spec = { ...convolution, direction, [size]: value }
          expect(() => plan().convolution(spec)).toThrow(
            new RegExp(`^${size} must be a whole number from .* to 2147483647$`),
          )
        }
      }
    }
  })

  test('makes no layouts and reorders of what is none', () => {
    const one = plan()
    expect(() => one.layout(0, [-1, 2], 1, 0)).toThrow('shape[0] must be a whole number from 1')
    expect(() => one.layout(0, [4, 2, 3, 3], 0, 0)).toThrow('groups must be')
    expect(() => one.layout(0, 'shape', 1, 0)).toThrow('shape must be an array')
    expect(() => one.layout(0, [4, 2], 1)).toThrow('arrangement must be')
    expect(() => one.layout(0, [4, 2], 1, 9)).toThrow('arrangement must be')
    expect(() => one.reorder(-1, 0, 1)).toThrow('fromLayout must be')
    expect(() => one.reorder(7, 8, 1)).toThrow('there is no layout 7')
  })

  test.each<[string, unknown[], string]>([
    ['without sizes', [], 'arenaBytes must be a number'],
    ['of negative size', [-64, 64, places, []], 'arenaBytes must be a whole number'],
    ['larger than all memory', [2 ** 52, 64, places, []], 'bytes of memory'],
    ['whose buffer is beyond the end', [8, 64, places, []], 'a buffer lies outside its block'],
    ['whose stride is beyond all numbers', [64, 64, [[0, 0, 16, 2 ** 52]], []], 'a buffer lies outside its block'],
    ['whose buffer has three numbers', [64, 64, [[0, 0, 16]], []], 'places[0] must have four numbers'],
    ['without loops', [64, 64, places], 'loops must be an array'],
    ['of an unknown kernel', [64, 64, places, [loop({ kernel: 'nonsense' })]], "there is no kernel 'nonsense'"],
    ['of no kernel', [64, 64, places, [loop({ kernel: 5 })]], 'kernel must be a string'],
    ['of an unknown primitive', [64, 64, places, [loop({ primitive: 9 })]], 'there is no primitive 9'],
    ['of an unknown buffer', [64, 64, places, [loop({ buffers: [0, 2] })]], 'there is no buffer 2'],
    ['of a negative buffer', [64, 64, places, [loop({ buffers: [0, -2] })]], 'buffers[1] must be'],
    ['that clears an unknown buffer', [64, 64, places, [{ ...loop(), zeroed: [5] }]], 'there is no buffer 5'],
    ['of fewer strides than buffers', [64, 64, places, [loop({ strides: [0] })]], 'a stride for each buffer'],
    ['of strides without slices', [64, 64, places, [loop({ strides: [8, 8] })]], 'the slices of a buffer'],
    ['of negative slices', [64, 64, places, [{ ...loop(), slices: -1 }]], 'slices must be'],
    ['of numbers that are none', [64, 64, places, [loop({ ints: ['16'] })]], 'ints[0] must be a number'],
    ['of a kernel without its number', [64, 64, places, [loop({ ints: [] })]], "kernel 'copy' has no 'bytes'"],
    ['of one number more', [64, 64, places, [loop({ ints: [16, 1] })]], "kernel 'copy' has 2 whole numbers, not 1"],
    ['of a double more', [64, 64, places, [loop({ floats: [1] })]], "kernel 'copy' has 1 numbers, not 0"],
    ['of a number out of range', [64, 64, places, [loop({ ints: [-1] })]], "kernel 'copy' cannot have -1 as 'bytes'"],
    [
      'of one buffer less',
      [64, 64, places, [loop({ buffers: [0], strides: [0] })]],
      "kernel 'copy' has 1 buffers, not 2",
    ],
    ['of an absent buffer', [64, 64, places, [loop({ buffers: [0, -1] })]], "kernel 'copy' lacks 'target'"],
    [
      'that would go beyond a buffer',
      [64, 64, places, [loop({ ints: [17] })]],
      "kernel 'copy' needs 17 bytes as 'source', and is given 16",
    ],
    [
      'that would go beyond a slice',
      [64, 64, places, [{ ...loop({ ints: [9], strides: [8, 8] }), slices: 2 }]],
      "kernel 'copy' needs 9 bytes as 'source', and is given 8",
    ],
    [
      'of integers for a kernel of floats',
      [64, 64, places, [loop(relu({ type: 'int32' }))]],
      "cannot have 3 as 'type'",
    ],
    ['of lists of two lengths', [64, 64, places, [loop(scale([1, 4, 2, 1, 1]))]], "has 'strides' of 2 axes"],
    ['of a list that is cut short', [64, 64, places, [loop(scale([2, 1, 4, 2, 4]))]], "has no 'strides'"],
    ['of strides that lead out of it', [64, 64, places, [loop(scale([2, 2, 2, 2, 4, 1]))]], "needs 24 bytes as 'x'"],
    ['of a state without its next', [64, 64, places, [loop(sgd([0, 0, 0, 0, 0, 1, -1]))]], "lacks 'nextVelocity'"],
    ['of a next without its state', [64, 64, places, [loop(sgd([0, 0, 0, 0, -1, 1, 1]))]], "no use for 'nextVelocity'"],
    [
      'without room for each thread',
      [64, 256, [...places, [1, 64, 160, 0]], [loop(merge)]],
      "kernel 'batchNormMerge' needs 'sums' for each thread",
    ],
    [
      'of more operands than there can be',
      [64, 64, places, [loop({ buffers: Array(25).fill(0), strides: Array(25).fill(0) })]],
      'too many operands',
    ],
  ])('builds no plan %s, and none after that', async (_, values, message) => {
    const one = plan()
    expect(() => one.build(...values)).toThrow(message)
    expect(() => one.run(false, false)).toThrow('it is not built')
    expect(() => one.read(0, -1, -1, new Float32Array(4))).toThrow('it is not built')
  })

  test('builds a plan once', () => {
    expect(() => built().build(64, 64, places, [])).toThrow('it is built already')
  })

  test.each<[string, unknown[], string]>([
    ['no buffer', [undefined, -1, -1, new Float32Array(4)], 'buffer must be a number'],
    ['a buffer that is not there', [2, -1, -1, new Float32Array(4)], 'there is no buffer 2'],
    ['a negative buffer', [-1, -1, -1, new Float32Array(4)], 'buffer must be a whole number'],
    ['no array', [0, -1, -1, 5], 'must be a typed array'],
    ['a buffer without a type', [0, -1, -1, new ArrayBuffer(16)], 'must be a typed array'],
    ['too long an array', [0, -1, -1, new Float32Array(5)], 'a transfer of 20 bytes, but buffer 0 has 16'],
    ['too short an array', [0, -1, -1, new Float32Array(3)], 'a transfer of 12 bytes, but buffer 0 has 16'],
    ['a layout that is not there', [0, -1, 3, new Float32Array(4)], 'there is no layout 3'],
    ['shared memory', [0, -1, -1, new Float32Array(new SharedArrayBuffer(16))], 'lies in shared memory'],
  ])('neither reads nor writes with %s', (_, values, message) => {
    expect(() => built().read(...values)).toThrow(message)
    expect(() => built().write(...values)).toThrow(message)
  })

  test('neither reads nor writes memory that was moved away', () => {
    const array = new Float32Array(4)
    structuredClone(array, { transfer: [array.buffer] })
    expect(() => built().read(0, -1, -1, array)).toThrow('target is detached')
    expect(() => built().write(0, -1, -1, array)).toThrow('source is detached')
  })

  test('runs one at a time, and says so', async () => {
    const one = built()
    const run = one.run(false, true)
    for (const call of ['run', 'read', 'write', 'events'] as const) {
      const values = call === 'run' ? [false, false] : [0, -1, -1, new Float32Array(4)]
      expect(() => one[call](...values)).toThrow('a run is under way')
    }
    await run
    one.dispose()
    expect(() => one.run(false, false)).toThrow('this program is disposed')
  })

  test('a plan that is disposed of while its arguments are read is disposed of', () => {
    const one = plan()
    const trap = Object.defineProperty([...places], 1, {
      get: () => {
        one.dispose()
        return places[1]
      },
    })
    expect(() => one.build(64, 64, trap, [])).toThrow('this program is disposed')
  })

  test('a context of its own, as test runners make them, loads it again, runs it and catches its errors', async () => {
    const context = createContext({ process, path: findAddon().path, places, loops: [loop()] })
    const program = `(async () => {
      const module = { exports: {} }
      process.dlopen(module, path)
      const { Plan } = module.exports
      const plan = new Plan(2)
      plan.build(64, 64, places, loops)
      plan.write(0, -1, -1, Float32Array.of(1, 2, 3, 4))
      await plan.run(false, true)
      const array = new Float32Array(4)
      plan.read(1, -1, -1, array)
      let message
      try { new Plan(0) } catch (error) { message = error.message }
      return { copied: array.join(), message }
    })()`
    const { copied, message } = (await runInContext(program, context)) as { copied: string; message: string }
    expect(copied).toBe('1,2,3,4')
    expect(message).toContain('threads must be a whole number')
  })

  test('methods know their own', () => {
    const { run, read } = plan()
    for (const other of [{}, new Map(), undefined]) {
      expect(() => Reflect.apply(run, other, [false, false])).toThrow()
      expect(() => Reflect.apply(read, other, [0, -1, -1, new Float32Array(4)])).toThrow()
    }
    expect(() => (open!.Plan as unknown as (threads: number) => void)(2)).toThrow("'new'")
  })
})
