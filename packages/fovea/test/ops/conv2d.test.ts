/** @file Convolution against its definition, seven loops long, on every case of the table. */

import { expect, test } from 'vitest'
import { referenceEngine } from '../../src/engines/reference/reference.js'
import { runOnce } from '../engines/run-once.js'
import { caseGraph, operatorCases } from './cases/index.js'

test.each(operatorCases.filter(({ op, differentiable }) => op === 'conv2d' && differentiable.length > 0))(
  '$name',
  async sample => {
    const { graph, feeds } = caseGraph(sample, { gradient: false })
    const [x, weight] = sample.inputs.map(input => input.shape)
    const { stride, padding, dilation, groups } = sample.attrs as Record<string, number[]> & { groups: number }
    const y = graph.outputs.get('out0')!.type.shape
    const expected = new Float64Array(y[0] * y[1] * y[2] * y[3])
    const at = ([, h, w, c]: readonly number[], n: number, row: number, column: number, channel: number) =>
      ((n * h + row) * w + column) * c + channel
    for (let n = 0; n < y[0]; n++) {
      for (let oy = 0; oy < y[1]; oy++) {
        for (let ox = 0; ox < y[2]; ox++) {
          for (let o = 0; o < y[3]; o++) {
            let sum = feeds['in2']?.[o] ?? 0
            for (let i = 0; i < weight[1]; i++) {
              const channel = Math.floor(o / (y[3] / groups)) * weight[1] + i
              for (let ky = 0; ky < weight[2]; ky++) {
                for (let kx = 0; kx < weight[3]; kx++) {
                  const iy = oy * stride[0] + ky * dilation[0] - padding[0]
                  const ix = ox * stride[1] + kx * dilation[1] - padding[2]
                  if (iy < 0 || iy >= x[1] || ix < 0 || ix >= x[2]) continue
                  const w = ((o * weight[1] + i) * weight[2] + ky) * weight[3] + kx
                  sum += feeds['in0'][at(x, n, iy, ix, channel)] * feeds['in1'][w]
                }
              }
            }
            expected[at(y, n, oy, ox, o)] = sum
          }
        }
      }
    }
    const { out0 } = await runOnce(referenceEngine({ precision: 'float64' }), graph, feeds)
    expected.forEach((value, i) => {
      expect(out0[i]).toBeCloseTo(value, 10)
    })
  },
)
