/**
 * @file Claims about ONNX files that other programs write and that nobody meant well: ONNX's own tests of operators (they need Python's
 * package onnx), torchvision's networks (PyTorch and torchvision), and files with random damage.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { referenceEngine } from '../../../src/engines/reference/reference.js'
import { FormatError } from '../../../src/errors.js'
import { decodeOnnx } from '../../../src/formats/onnx/decode.js'
import { encodeOnnx } from '../../../src/formats/onnx/encode.js'
import { stateNodes } from '../../../src/graph/graph.js'
import { createModel } from '../../../src/models/registry.js'
import { evaluationGraph } from '../../../src/train/training-graph.js'
import { operatorsOf, runCase } from './node-cases.js'

/** Another interpreter than `python3`, with its arguments. */
const [interpreter, ...before] = (process.env['FOVEA_TEST_PYTHON'] ?? 'python3').split(' ')
const python = (code: string): string =>
  execFileSync(interpreter, [...before, '-'], { input: code, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] })
function has(module: string): boolean {
  try {
    return python(`import ${module}`) === ''
  } catch {
    return false
  }
}
const folder = mkdtempSync(join(tmpdir(), 'fovea-onnx-'))

/** Those whose operators have a row, and of which some case must pass. */
const operators = [
  ...[
    'Add',
    'AveragePool',
    'BatchNormalization',
    'Cast',
    'Clip',
    'Concat',
    'Constant',
    'Conv',
    'DequantizeLinear',
    'Div',
  ],
  ...['Dropout', 'Flatten', 'Gather', 'Gemm', 'GlobalAveragePool', 'HardSigmoid', 'HardSwish', 'Identity', 'MatMul'],
  ...['MaxPool', 'Mul', 'Pad', 'QuantizeLinear', 'ReduceMax', 'ReduceMean', 'ReduceSum', 'Relu', 'Reshape', 'Shape'],
  ...['Sigmoid', 'Slice', 'Softmax', 'Split', 'Squeeze', 'Sub', 'Transpose', 'Unsqueeze'],
]

test.skipIf(!has('onnx'))(
  "ONNX's own tests pass or are refused by name: none is wrong (needs Python's onnx)",
  async () => {
    python(`
import os, onnx, numpy
# Names that newer numpy has no more: Debian 12's onnx, 1.12, uses them.
for kind in (bool, float, int, object):
    if not hasattr(numpy, kind.__name__): setattr(numpy, kind.__name__, kind)
from onnx.backend.test.case.node import collect_testcases
for case in collect_testcases(None):
    place = ${JSON.stringify(folder)} + '/' + case.name
    os.makedirs(place, exist_ok=True)
    try:
        open(place + '/model.onnx', 'wb').write(case.model.SerializeToString())
        for kind, tensors in zip(('input', 'output'), case.data_sets[0]):
            for i, value in enumerate(tensors):
                tensor = value if isinstance(value, onnx.TensorProto) else onnx.numpy_helper.from_array(numpy.asarray(value))
                open(f'{place}/{kind}_{i}.pb', 'wb').write(tensor.SerializeToString())
    except Exception:
        os.rename(place, place + '.skipped')
`)
    const wrong: string[] = []
    const counts: Record<string, number> = {}
    const passed = new Set<string>()
    for (const name of readdirSync(folder).filter(name => !name.endsWith('.skipped'))) {
      for (const first of ['computed', 'known'] as const) {
        const outcome = await runCase(join(folder, name), first)
        counts[outcome] = (counts[outcome] ?? 0) + 1
        if (outcome.startsWith('wrong')) wrong.push(`${name}, ${first}: ${outcome}`)
        if (outcome === 'passed') for (const op of operatorsOf(join(folder, name))) passed.add(op)
      }
    }
    process.stderr.write(`ONNX's own tests, each input tried as an image and as numbers: ${JSON.stringify(counts)}\n`)
    expect(wrong).toEqual([])
    expect(operators.filter(op => !passed.has(op))).toEqual([])
  },
)

test.skipIf(!has('torchvision'))(
  "torchvision's networks compute as in PyTorch (needs Python's torchvision)",
  async () => {
    const names = ['resnet18', 'mobilenet_v2', 'mobilenet_v3_small', 'squeezenet1_1', 'densenet121', 'efficientnet_b0']
    python(`
import inspect, torch, torchvision
try:
    import torch.onnx._internal.onnx_proto_utils as proto
    # For operators of functions alone, of which there are none, and the package onnx.
    proto._add_onnxscript_fn = lambda model, opsets: model
except ImportError:
    pass # Older PyTorch, as Debian 12's, has no such step.
older = {'dynamo': False} if 'dynamo' in inspect.signature(torch.onnx.export).parameters else {}
torch.manual_seed(0)
for name in ${JSON.stringify(names)}:
    model = getattr(torchvision.models, name)(num_classes=10).eval()
    for key, values in model.named_buffers():
        if 'running_mean' in key: values.normal_(0, .1)
        if 'running_var' in key: values.uniform_(.7, 1.3)
    image = torch.randn(1, 3, 64, 64)
    place = ${JSON.stringify(folder)} + '/' + name
    torch.onnx.export(model, image, place + '.onnx', opset_version=17, **older, dynamic_axes={'x': {0: 'n'}, 'y': {0: 'n'}}, input_names=['x'], output_names=['y'])
    image.permute(0, 2, 3, 1).contiguous().numpy().tofile(place + '.image')
    model(image).detach().numpy().tofile(place + '.logits')
`)
    const engine = referenceEngine()
    for (const name of names) {
      const floats = (kind: string) =>
        new Float32Array(new Uint8Array(readFileSync(join(folder, `${name}.${kind}`))).buffer)
      const model = decodeOnnx(name, readFileSync(join(folder, `${name}.onnx`)))
      const graph = evaluationGraph(model.graph, 1)
      const program = await engine.compile(graph)
      for (const state of stateNodes(graph)) await program.write(state.name, model.weights.get(state.name)!)
      const { logits } = await program.run({ image: floats('image') })
      const expected = floats('logits')
      const most = Math.max(...expected.map(Math.abs))
      for (const [i, x] of expected.entries()) expect(Math.abs(x - logits[i]) / most, name).toBeLessThan(1e-4)
    }
  },
)

test('random damage ends in a FormatError or a model, nothing else', () => {
  const files = [
    encodeOnnx(createModel('resnet8', { classes: 3, input: [8, 8, 3] })),
    encodeOnnx(createModel('efficientnet-b0', { classes: 3, input: [32, 32, 3] }), { precision: 'float16' }),
  ].map(chunks => new Uint8Array(Buffer.concat(chunks)))
  // Damage in weights says nothing: what is not their bytes is at the start and between them.
  const place = fc.oneof(fc.nat({ max: 20_000 }), fc.nat())
  const damage = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 })
  const runs = Number(process.env['FUZZ_RUNS'] ?? 2_000)
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, fc.option(fc.nat()), (file, changes, length) => {
      const damaged = file.slice(0, length === null ? file.length : length % file.length)
      for (const [at, byte] of changes) damaged[at % Math.max(1, damaged.length)] = byte
      try {
        decodeOnnx('damaged.onnx', damaged)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }),
    { numRuns: runs },
  )
})
