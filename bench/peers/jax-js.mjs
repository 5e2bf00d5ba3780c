/**
 * @file A training step by jax-js on its WebAssembly backend, of our graph: each operator is one call of jax-js, gradients are its own, and
 * the whole step, SGD with momentum and weight decay, is one function that it compiles (`jit`). It keeps no running statistics, so it has
 * less to do than ours. In Node it computes on one thread. It is no dependency: `npm install @jax-js/jax` in a folder of its own.
 */

/**
 * @param jax its module
 * @param {import('fovea').Graph} graph of the model, with logits of one image
 * @param {import('fovea').Weights} weights of the graph
 * @param {{ image: Float32Array, label: Int32Array, learningRate: number }} feeds planes of channels; a class each
 * @param {{ momentum: number, weightDecay: number }} optimizer
 * @returns what runs one step after another, and gives the loss before each
 */
export async function jaxTrainer(jax, graph, weights, { image, label, learningRate }, { momentum, weightDecay }) {
  const { jit, lax, nn, numpy: np, valueAndGrad } = jax
  await jax.init('wasm')
  jax.defaultDevice('wasm')
  const batch = label.length
  const [, height, width, channels] = graph.nodes.find(({ op }) => op === 'input').outputs[0].shape
  const names = graph.nodes.filter(({ op }) => op === 'parameter').map(({ name }) => name)
  const shapes = new Map(graph.nodes.map(({ name, outputs }) => [name, outputs[0].shape]))
  const classes = shapes.get(graph.outputs.get('logits').node.name)[1]

  const loss = (parameters, images, labels) => {
    const logits = forward({ lax, nn, np }, graph, parameters, images)
    return np.negative(np.mean(np.sum(nn.logSoftmax(logits, 1).mul(nn.oneHot(labels, classes)), 1)))
  }
  const step = jit((parameters, velocities, images, labels) => {
    const [value, gradients] = valueAndGrad(loss)(copies(parameters), images, labels)
    const [next, nextVelocities] = [{}, {}]
    for (const name of names) {
      const gradient = gradients[name].add(parameters[name].ref.mul(weightDecay))
      const velocity = velocities[name].mul(momentum).add(gradient)
      nextVelocities[name] = velocity.ref
      next[name] = parameters[name].sub(velocity.mul(learningRate))
    }
    return [value, next, nextVelocities]
  })

  let parameters = Object.fromEntries(names.map(name => [name, np.array(weights.get(name)).reshape(shapes.get(name))]))
  let velocities = Object.fromEntries(names.map(name => [name, np.zeros(shapes.get(name))]))
  const images = np.array(image).reshape([batch, channels, height, width])
  const labels = np.array(label, { dtype: np.int32 })
  return async () => {
    const [value, ...next] = step(parameters, velocities, images.ref, labels.ref)
    ;[parameters, velocities] = next
    const [loss] = await value.data()
    return loss
  }
}

/** Values are counted in jax-js: a call takes what it is given, and `ref` keeps it for another. */
const copies = values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.ref]))

function forward(how, graph, parameters, images) {
  const values = new Map()
  const uses = new Map()
  for (const { inputs } of graph.nodes) for (const { node } of inputs) uses.set(node, (uses.get(node) ?? 0) + 1)
  const of = ({ node }) => {
    const left = uses.get(node) - 1
    uses.set(node, left)
    return left > 0 ? values.get(node).ref : values.get(node)
  }
  for (const node of graph.nodes) {
    if (node.op === 'input') values.set(node, images)
    else if (node.op === 'parameter') values.set(node, parameters[node.name])
    else if (node.op in operators) {
      const inputs = node.inputs.filter(input => input.node.op !== 'buffer').map(of)
      values.set(node, operators[node.op](how, inputs, node.attrs))
    } else if (node.op !== 'buffer') throw new Error(`jax-js: no row for '${node.op}'`)
  }
  return values.get(graph.outputs.get('logits').node)
}

/** Of planes of channels, as its convolutions are. */
const operators = {
  conv2d({ lax }, [x, weight], { stride, padding: [top, bottom, left, right], groups }) {
    const padding = [
      [top, bottom],
      [left, right],
    ]
    return lax.convGeneralDilated(x, weight, stride, padding, { featureGroupCount: groups })
  },
  batchNorm({ np }, [x, gamma, beta], { epsilon }) {
    const perChannel = value => value.reshape([1, -1, 1, 1])
    const apart = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }))
    const variance = np.mean(np.square(apart.ref), [0, 2, 3], { keepdims: true })
    const scale = perChannel(gamma).div(np.sqrt(variance.add(epsilon)))
    return apart.mul(scale).add(perChannel(beta))
  },
  relu: ({ nn }, [x]) => nn.relu(x),
  add: (_, [a, b]) => a.add(b),
  /** Of every second pixel. */
  slice({ np }, [x], { step }) {
    const [batch, channels, height, width] = x.shape
    if (step.join() !== '1,2,2,1') throw new Error(`jax-js: no row for a slice of steps ${step}`)
    return np.reshape(x, [batch, channels, height / 2, 2, width / 2, 2]).slice([], [], [], 0, [], 0)
  },
  pad({ np }, [x], { before, after }) {
    return np.pad(
      x,
      [0, 3, 1, 2].map(axis => [before[axis], after[axis]]),
    )
  },
  globalAveragePool: ({ np }, [x]) => np.mean(x, [2, 3], { keepdims: true }),
  flatten: (_, [x]) => x.reshape([x.shape[0], -1]),
  linear: ({ np }, [x, weight, bias]) => np.matmul(x, np.transpose(weight)).add(bias),
}
