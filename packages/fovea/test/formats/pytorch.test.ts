/** @file Claims about PyTorch's files: every type, view and nesting is read from both layouts; what is damaged or hostile is refused. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormatError } from '../../src/errors.js'
import { openWeights } from '../../src/formats/registry.js'
import { type StoredType, storedElementBytes } from '../../src/formats/weight-source.js'
import { elements } from '../../src/graph/types.js'
import {
  assemble,
  Call,
  floats,
  Global,
  pickle,
  storageTypes,
  TestTensor,
  Tuple,
  torchLegacy,
  torchZip,
  zipOf,
} from './torch-file.js'

const layouts = { zip: (value: unknown) => torchZip(value), legacy: torchLegacy }
const dictionary = (entries: Readonly<Record<string, unknown>>): Map<string, unknown> =>
  new Map(Object.entries(entries))
const read = (file: Uint8Array) => openWeights('weights.pth', file)

describe.each(Object.entries(layouts))('the %s layout', (_, write) => {
  test.each(storageTypes)('%s', dtype => {
    const bytes = Uint8Array.from({ length: 6 * storedElementBytes(dtype) }, (_, i) => (i * 37) % 251)
    const { tensors } = read(write(dictionary({ w: new TestTensor({ dtype, bytes }, [2, 3]) })))
    expect(tensors.get('w')).toMatchObject({ dtype, shape: [2, 3] })
    expect([...tensors.get('w')!.bytes]).toEqual([...bytes])
  })

  test('views of one storage, in any order of its numbers', () => {
    const types = fc.constantFrom<StoredType>('float32', 'int64', 'bfloat16', 'uint8')
    const view = fc.record({
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
      order: fc.infiniteStream(fc.nat()),
      offset: fc.nat(5),
    })
    fc.assert(
      fc.property(types, fc.array(view, { minLength: 1, maxLength: 3 }), (dtype, views) => {
        const size = storedElementBytes(dtype)
        const bytes = Uint8Array.from({ length: 300 * size }, (_, i) => (i * 31) % 253)
        const storage = { dtype, bytes }
        const made = views.map(({ shape, order, offset }) => {
          // The strides of a dense tensor whose axes were permuted.
          const axes = shape.map((_, axis) => ({ axis, key: order.next().value })).sort((a, b) => a.key - b.key)
          const stride = shape.map(() => 0)
          let step = 1
          for (const { axis } of axes) {
            stride[axis] = step
            step *= shape[axis]
          }
          return new TestTensor(storage, shape, stride, offset)
        })
        const { tensors } = read(write(dictionary(Object.fromEntries(made.map((tensor, i) => [`w${i}`, tensor])))))
        for (const [i, { shape, stride, offset }] of made.entries()) {
          const expected = Array.from({ length: elements(shape) }, (_, at) => {
            let [rest, from] = [at, offset]
            for (let axis = shape.length - 1; axis >= 0; axis--) {
              from += (rest % shape[axis]) * stride[axis]
              rest = Math.floor(rest / shape[axis])
            }
            return [...bytes.subarray(from * size, (from + 1) * size)]
          })
          expect([...tensors.get(`w${i}`)!.bytes]).toEqual(expected.flat())
        }
      }),
      { numRuns: 60 },
    )
  })

  const tensor = floats([2], [1, 2])
  test.each<[string, unknown, readonly string[], string?]>([
    ['a state_dict', dictionary({ w: tensor, epoch: 3 }), ['w']],
    ['one of parameters', dictionary({ w: new TestTensor(tensor.storage, [2], [1], 0, true) }), ['w']],
    [
      'a checkpoint',
      dictionary({ epoch: 3, lr: 0.1, state_dict: dictionary({ w: tensor }), names: ['a', new Tuple([1])] }),
      ['w'],
    ],
    ['a model in an ema', dictionary({ ema: dictionary({ model: dictionary({ w: tensor }) }) }), ['w']],
    [
      'averaged weights before others, and it is said',
      dictionary({ model: dictionary({ w: tensor }), model_ema: dictionary({ 'module.w': tensor }) }),
      ['module.w'],
      "the weights in 'model_ema' were taken; there are others in 'model'",
    ],
  ])('%s', (_, value, names, note) => {
    const { tensors, notes } = read(write(value))
    expect([...tensors.keys()]).toEqual(names)
    expect(notes).toEqual(note === undefined ? [] : [note])
  })

  test.each<[string, unknown, string]>([
    ['no weights', dictionary({ epoch: 3, state_dict: 5 }), 'it holds no weights: expected a dictionary of tensors'],
    ['a single tensor', tensor, 'it holds no weights'],
    [
      'a view beyond its storage',
      dictionary({ w: new TestTensor(tensor.storage, [2], [1], 1) }),
      'a tensor of 2 in a storage of 2 numbers',
    ],
    [
      'one number as 2^60',
      dictionary({ w: new TestTensor(tensor.storage, [2 ** 30, 2 ** 30], [0, 0]) }),
      'in a storage of 2 numbers',
    ],
    [
      'a negative stride',
      dictionary({ w: new TestTensor(tensor.storage, [2], [-1], 1) }),
      'whose stride is no list of whole numbers',
    ],
    ['a call of os.system', new Call('posix.system', ['true']), 'it wants to use posix.system, which is not allowed'],
    [
      'a call in an entry',
      dictionary({ w: tensor, x: new Call('builtins.eval', ['1']) }),
      'it wants to use builtins.eval',
    ],
    ['a call of a class of storages', new Call('torch.FloatStorage', [1]), 'it calls torch.FloatStorage'],
    ['a global without a call', dictionary({ w: new Global('numpy.ndarray') }), 'it wants to use numpy.ndarray'],
  ])('refused: %s', (_, value, message) => {
    expect(() => read(write(value))).toThrow(message)
    expect(() => read(write(value))).toThrow("'weights.pth' cannot be read as a PyTorch file: ")
  })

  test('no part of a file is taken for the whole, nor does a changed byte do harm', () => {
    const whole = write(dictionary({ state_dict: dictionary({ w: floats([5], [1, 2, 3, 4, 5]), v: tensor }) }))
    read(whole)
    for (let length = 0; length < whole.length; length++) {
      expect(() => read(whole.subarray(0, length)), `${length} bytes`).toThrow(FormatError)
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length - 1), fc.nat(255), (i, a, j, b) => {
        const bytes = whole.slice()
        bytes[i] = a
        bytes[j] = b
        try {
          for (const { bytes: numbers } of read(bytes).tensors.values()) expect(numbers.length).toBeLessThan(1000)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('pickles that are programs', () => {
  const system = 'cposix\nsystem\n'
  test.each<[string, Uint8Array, string]>([
    ['GLOBAL and REDUCE', assemble(0x80, 2, system, '(X', 1, 0, 0, 0, 'xtR.'), 'byte 2: it wants to use posix.system'],
    ['STACK_GLOBAL', assemble(0x80, 4, 0x8c, 5, 'posix', 0x8c, 6, 'system', 0x93, '.'), 'it wants to use posix.system'],
    ['STACK_GLOBAL of lists', assemble(0x80, 4, ']]', 0x93, '.'), 'it names a global by what is no text'],
    ['INST', assemble('(X', 1, 0, 0, 0, 'xiposix\nsystem\n.'), 'it wants to use posix.system'],
    ['INST of what is allowed', assemble('(icollections\nOrderedDict\n.'), 'it makes an object (INST)'],
    ['OBJ', assemble('(ccollections\nOrderedDict\no.'), 'it makes an object (OBJ)'],
    ['NEWOBJ', assemble('ccollections\nOrderedDict\n)', 0x81, '.'), 'it makes an object (NEWOBJ)'],
    ['NEWOBJ_EX', assemble('ccollections\nOrderedDict\n)}', 0x92, '.'), 'it makes an object (NEWOBJ_EX)'],
    ['EXT1', assemble(0x82, 1, '.'), 'it makes an object (EXT1)'],
    ['BUILD of a list', assemble(']}b.'), 'it adds to a dictionary (BUILD) where there is none'],
    ['a call of what is no function', assemble('X', 1, 0, 0, 0, 'x)R.'), 'it calls what is no function'],
    ['a persistent id that is none', assemble('NQ.'), 'it refers to what is no storage'],
    [
      'a name in an attribute',
      assemble('ccollections\nOrderedDict.__init__\n.'),
      'collections.OrderedDict.__init__, which is not allowed',
    ],
    ['an empty stack', assemble('.'), 'it takes a value where there is none'],
    ['a mark that is not there', assemble('t.'), 'it goes back to a mark where there is none'],
    ['a value that was not kept', assemble('h', 7, '.'), 'it refers to value 7'],
    ['an unknown opcode', assemble(0xff), 'byte 0: it has the unknown opcode 0xff'],
    ['a key without a value', assemble('}(Nu.'), 'it has a key without a value'],
    ['a text of 2^60 bytes', assemble(0x8d, 0, 0, 0, 0, 0, 0, 0, 0x10, '.'), 'it claims a length of'],
    ['bytes of 2 GB', assemble('B', 0, 0, 0, 0x7f, '.'), 'it ends within a value'],
    ['a number of 2 GB', assemble(0x8b, 0, 0, 0, 0x7f, '.'), 'it ends within a value'],
    ['a text that is not UTF-8', assemble('X', 1, 0, 0, 0, 0xff, '.'), 'it has a text that is not UTF-8'],
    ['a line without an end', assemble('I123'), 'it has a line without an end'],
    ['a number that is none', assemble('Lx\n.'), "it has 'x' for a number"],
    ['half a million lists', assemble(']'.repeat(500_000)), 'it has more than 400000 lists'],
    ['two million steps', assemble('N0'.repeat(1_000_001)), 'it has more than 2000000 steps'],
  ])('%s', (_, program, message) => {
    expect(() => read(zipOf(program))).toThrow(message)
  })

  test('a dictionary that holds itself ends', () => {
    // {'state_dict': itself, 'model': itself}
    const text = (name: string): (string | number)[] => ['X', name.length, 0, 0, 0, name]
    const program = assemble('}q', 0, '(', ...text('state_dict'), 'h', 0, ...text('model'), 'h', 0, 'u.')
    expect(() => read(zipOf(program))).toThrow('it holds no weights')
  })
})

describe('zip files that are none of PyTorch', () => {
  const value = dictionary({ w: floats([2], [1, 2]) })
  test.each<[string, Uint8Array, string]>([
    [
      'a compressed entry',
      torchZip(value, entries => ({ ...entries, 'archive/data/0': [new Uint8Array(1 << 20), { level: 9 }] })),
      "'archive/data/0' is compressed",
    ],
    ['no pickle', torchZip(value, () => ({ 'a/b': new Uint8Array(3) })), "with no 'data.pkl'"],
    [
      'two pickles',
      torchZip(value, entries => ({ ...entries, 'b/data.pkl': new Uint8Array(3) })),
      "with more than one 'data.pkl'",
    ],
    [
      'a storage that is missing',
      torchZip(value, ({ 'archive/data/0': _, ...entries }) => entries),
      "'archive/data/0' should have 8 bytes, it is not there",
    ],
    [
      'a storage that is shorter',
      torchZip(value, entries => ({ ...entries, 'archive/data/0': new Uint8Array(7) })),
      'it has 7',
    ],
    [
      'big-endian numbers',
      torchZip(value, entries => ({ ...entries, 'archive/byteorder': new TextEncoder().encode('big') })),
      'its bytes are big-endian',
    ],
    [
      'a program',
      torchZip(value, entries => ({ ...entries, 'archive/code/__torch__.py': new Uint8Array(1) })),
      'TorchScript',
    ],
  ])('%s', (_, file, message) => {
    expect(() => read(file)).toThrow(message)
  })

  test('names that lead out of a folder are only names', () => {
    const file = torchZip(value, entries => ({ ...entries, '../../../etc/passwd': new Uint8Array(3) }))
    expect([...read(file).tensors.keys()]).toEqual(['w'])
  })

  test('entries that lie in each other take no more than the file', () => {
    const name = 'archive/data/1'
    const file = torchZip(value, entries => ({ ...entries, [name]: new Uint8Array(1000) }))
    const list = file.length - 22
    // The last entry of the list again and again, each time under another name.
    const copies = Array.from({ length: 99 }, (_, i) => {
      const entry = file.slice(list - 46 - name.length, list)
      entry[entry.length - 1] = 0x32 + i
      return entry
    })
    const end = file.slice(list)
    const view = new DataView(end.buffer)
    for (const at of [8, 10]) view.setUint16(at, view.getUint16(at, true) + copies.length, true)
    const bomb = Buffer.concat([file.subarray(0, list), ...copies, end])
    expect(() => read(bomb)).toThrow(/its entries claim \d+ bytes, the file has/)
  })
})

test('what is often taken for weights is called what it is', () => {
  const texts = {
    '<!DOCTYPE html>': 'a web page',
    'version https://git-lfs.github.com/spec/v1': 'a pointer of Git LFS',
  }
  for (const [text, what] of Object.entries(texts)) {
    expect(() => read(new TextEncoder().encode(text.padEnd(100)))).toThrow(`'weights.pth' is ${what}`)
  }
  expect(() => read(Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a))).toThrow(
    'cannot be read as a Keras file: its superblock at byte 0 was cut short',
  )
  expect(() => read(pickle(dictionary({ w: 1 })))).toThrow(FormatError)
})

test('names from a file, of any length and with any characters, make one line', () => {
  const name = `a\n${'b'.repeat(5000)}`
  const files = [
    torchZip(dictionary({ [name]: 1 })),
    torchZip(dictionary({}), entries => ({ ...entries, [name]: [new Uint8Array(1000), { level: 9 }] })),
    zipOf(assemble(0x80, 4, 'X', 4, 0, 0, 0, 'a\r\nb', 0x8c, 1, 'c', 0x93, '.')),
  ]
  for (const file of files) expect(() => read(file)).toThrow(/^'weights.pth' [^\p{Cc}]{1,400}$/u)
})
