/** @file A model's graph that is small but has what the passes look for: two norms, a residual, dropout, a classifier. */
import type { Graph } from '../../src/graph/graph.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'

export function residualBlock(): Graph {
  const builder = new GraphBuilder()
  const zeros = { type: 'zeros' } as const
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const
  const conv = (name: string, x: ReturnType<typeof builder.input>, out: number) =>
    builder.emit(ops.conv2d, [x, builder.parameter(`${name}.weight`, [out, x.type.shape[3], 3, 3], zeros)], attrs, name)
  const norm = (name: string, x: ReturnType<typeof builder.input>) => {
    const perChannel = [x.type.shape[3]]
    const [weight, bias] = ['weight', 'bias'].map(part => builder.parameter(`${name}.${part}`, perChannel, zeros))
    const [mean, variance] = ['mean', 'var'].map(part => builder.buffer(`${name}.running_${part}`, perChannel, zeros))
    return builder.emit(ops.batchNorm, [x, weight, bias, mean, variance], { epsilon: 1e-5, momentum: 0.1 }, name)
  }
  const image = builder.input('image', [1, 4, 4, 3])
  const stem = builder.emit(ops.relu, [norm('bn1', conv('conv1', image, 8))], {}, 'relu1')
  const branch = norm('bn2', conv('conv2', stem, 8))
  const sum = builder.emit(ops.relu, [builder.emit(ops.add, [branch, stem], {}, 'sum')], {}, 'relu2')
  const pooled = builder.emit(ops.flatten, [builder.emit(ops.globalAveragePool, [sum], {}, 'pool')], {}, 'flatten')
  const dropped = builder.emit(ops.dropout, [pooled], { rate: 0.5, stream: 0 }, 'dropout')
  builder.output(
    'logits',
    builder.emit(ops.linear, [dropped, builder.parameter('fc.weight', [10, 8], zeros)], {}, 'fc'),
  )
  return builder.build()
}
