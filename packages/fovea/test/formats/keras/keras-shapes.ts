/**
 * @file The names and shapes of the weights of keras.applications' ResNets (first version) and EfficientNets, generated from its tables and
 * not from our models; kernels in our order of axes.
 */
type Shapes = Map<string, readonly number[]>

const conv = (shapes: Shapes, name: string, out: number, into: number, kernel: number, bias: boolean): void => {
  shapes.set(`${name}/kernel`, [out, into, kernel, kernel])
  if (bias) shapes.set(`${name}/bias`, [out])
}
const norm = (shapes: Shapes, name: string, channels: number): void => {
  for (const part of ['gamma', 'beta', 'moving_mean', 'moving_variance']) shapes.set(`${name}/${part}`, [channels])
}
const dense = (shapes: Shapes, into: number): void => {
  shapes.set('predictions/kernel', [1000, into])
  shapes.set('predictions/bias', [1000])
}

function resnet(counts: readonly number[]): Shapes {
  const shapes: Shapes = new Map()
  conv(shapes, 'conv1_conv', 64, 3, 7, true)
  norm(shapes, 'conv1_bn', 64)
  let into = 64
  counts.forEach((count, stage) => {
    const width = 64 * 2 ** stage
    for (let i = 1; i <= count; i++) {
      const block = `conv${stage + 2}_block${i}`
      for (const [part, out, from, kernel] of [
        [0, 4 * width, into, 1],
        [1, width, into, 1],
        [2, width, width, 3],
        [3, 4 * width, width, 1],
      ]) {
        if (part === 0 && i > 1) continue
        conv(shapes, `${block}_${part}_conv`, out, from, kernel, true)
        norm(shapes, `${block}_${part}_bn`, out)
      }
      into = 4 * width
    }
  })
  dense(shapes, into)
  return shapes
}

/** Expansion, kernel, channels, layers. */
const stages = [
  ...[
    [1, 3, 16, 1],
    [6, 3, 24, 2],
    [6, 5, 40, 2],
    [6, 3, 80, 3],
    [6, 5, 112, 3],
    [6, 5, 192, 4],
    [6, 3, 320, 1],
  ],
] as const

function efficientnet(width: number, depth: number): Shapes {
  const scaled = (channels: number): number => {
    const near = Math.max(8, 8 * Math.floor((channels * width + 4) / 8))
    return near < 0.9 * channels * width ? near + 8 : near
  }
  const shapes: Shapes = new Map()
  let into = scaled(32)
  conv(shapes, 'stem_conv', into, 3, 3, false)
  norm(shapes, 'stem_bn', into)
  stages.forEach(([expansion, kernel, channels, layers], stage) => {
    for (let i = 0; i < Math.ceil(layers * depth); i++) {
      const block = `block${stage + 1}${String.fromCharCode(97 + i)}_`
      const [wide, out, narrow] = [into * expansion, scaled(channels), Math.floor(into / 4)]
      if (expansion > 1) {
        conv(shapes, `${block}expand_conv`, wide, into, 1, false)
        norm(shapes, `${block}expand_bn`, wide)
      }
      conv(shapes, `${block}dwconv`, wide, 1, kernel, false)
      norm(shapes, `${block}bn`, wide)
      conv(shapes, `${block}se_reduce`, narrow, wide, 1, true)
      conv(shapes, `${block}se_expand`, wide, narrow, 1, true)
      conv(shapes, `${block}project_conv`, out, wide, 1, false)
      norm(shapes, `${block}project_bn`, out)
      into = out
    }
  })
  conv(shapes, 'top_conv', scaled(1280), into, 1, false)
  norm(shapes, 'top_bn', scaled(1280))
  dense(shapes, scaled(1280))
  return shapes
}

const scaling = [
  ...[
    [1.0, 1.0],
    [1.0, 1.1],
    [1.1, 1.2],
    [1.2, 1.4],
    [1.4, 1.8],
    [1.6, 2.2],
    [1.8, 2.6],
    [2.0, 3.1],
  ],
] as const

/** By our name of the model. */
export const shapesOfKeras: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> = new Map([
  ['resnet50', resnet([3, 4, 6, 3])],
  ['resnet101', resnet([3, 4, 23, 3])],
  ['resnet152', resnet([3, 8, 36, 3])],
  ...scaling.map(([width, depth], variant) => [`efficientnet-b${variant}`, efficientnet(width, depth)] as const),
])
