/**
 * @file A model's forward pass by TensorFlow.js on its WebAssembly backend, of our graph in inference form: each operator is one call of
 * TensorFlow.js, with its fused convolutions. It is no dependency: `npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm` in a
 * folder of its own.
 */
import { dirname, join } from 'node:path'

/**
 * @param {NodeRequire} require from the folder where it is installed
 * @param {import('fovea').Graph} graph one input, one output `logits`
 * @param {import('fovea').Weights} weights of the graph
 * @param {Float32Array} image
 * @returns what runs it once, and gives the logits
 */
export async function tfjsForward(require, graph, weights, image, threads) {
  const tf = require('@tensorflow/tfjs-core')
  const wasm = require('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'))
  wasm.setThreadsCount(threads)
  await tf.setBackend('wasm')
  await tf.ready()
  const constants = new Map()
  for (const node of graph.nodes) {
    const [{ shape }] = node.outputs
    if (node.op === 'parameter' || node.op === 'buffer') {
      const tensor = tf.tensor(weights.get(node.name), shape)
      constants.set(node, [tensor])
    } else if (node.op === 'foldedWeights') constants.set(node, folded(tf, node, constants))
  }
  const filters = new Map()
  for (const node of graph.nodes.filter(({ op }) => op === 'conv2d')) {
    const { node: source, index } = node.inputs[1]
    const { groups } = node.attrs
    const [out, , height, width] = node.inputs[1].type.shape
    const filter = tf.transpose(constants.get(source)[index], [2, 3, 1, 0])
    filters.set(node, groups === 1 ? filter : tf.reshape(filter, [height, width, out, 1]))
  }
  return async () => {
    const logits = tf.tidy(() => forward(tf, graph, { constants, filters }, image))
    const values = await logits.data()
    logits.dispose()
    return values
  }
}

/** Weights and bias of a convolution with its norm. */
function folded(tf, { inputs, attrs }, constants) {
  const [weight, gamma, beta, mean, variance, bias] = inputs.map(({ node, index }) => constants.get(node)[index])
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, attrs.epsilon)))
  const shift = tf.sub(beta, tf.mul(bias === undefined ? mean : tf.sub(mean, bias), scale))
  return [tf.mul(weight, tf.reshape(scale, [-1, 1, 1, 1])), shift]
}

function forward(tf, graph, { constants, filters }, image) {
  const values = new Map()
  const of = ({ node, index }) => (constants.get(node) ?? [values.get(node)])[index]
  for (const node of graph.nodes) {
    if (node.op === 'input') values.set(node, tf.tensor(image, node.outputs[0].shape))
    else if (node.op === 'conv2d') values.set(node, convolution(tf, node, filters.get(node), node.inputs.map(of)))
    else if (node.op in operators) values.set(node, operators[node.op](tf, node.inputs.map(of), node))
    else if (!constants.has(node)) throw new Error(`TensorFlow.js: no row for '${node.op}'`)
  }
  return values.get(graph.outputs.get('logits').node)
}

const operators = {
  add: (tf, [a, b]) => tf.add(a, b),
  multiply: (tf, [a, b]) => tf.mul(a, b),
  relu: (tf, [x]) => tf.relu(x),
  flatten: (tf, [x], { outputs }) => tf.reshape(x, outputs[0].shape),
  globalAveragePool: (tf, [x]) => tf.mean(x, [1, 2], true),
  maxPool: (tf, [x], { attrs: { kernel, stride, padding } }) =>
    tf.maxPool(tf.pad(x, pairs(padding), -3e38), kernel, stride, 'valid'),
  linear: (tf, [x, weight, bias]) => tf.add(tf.matMul(x, weight, false, true), bias),
}

const pairs = ([top, bottom, left, right]) => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
]

function convolution(tf, { attrs }, filter, [x, , bias, residual]) {
  const { stride: strides, padding, groups, activation } = attrs
  const fuses = residual === undefined && (activation === 'relu' || activation === 'relu6')
  const how = { x, filter, strides, pad: pairs(padding), bias, ...(fuses && { activation }) }
  const sum = groups === 1 ? tf.fused.conv2d(how) : tf.fused.depthwiseConv2d(how)
  if (fuses) return sum
  const y = residual === undefined ? sum : tf.add(sum, residual)
  if (activation === 'relu') return tf.relu(y)
  if (activation === 'silu') return tf.mul(y, tf.sigmoid(y))
  return activation === 'sigmoid' ? tf.sigmoid(y) : y
}
