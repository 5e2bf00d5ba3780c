/** @file What bench/speed.mjs shows of its measurements: medians, least and most, and the table of them. */

/** Of the runs of one program. */
export function summary(runs) {
  const speeds = runs.map(({ imagesPerSecond }) => imagesPerSecond).sort((a, b) => a - b)
  const memory = runs.map(({ peakMemoryBytes }) => peakMemoryBytes).sort((a, b) => a - b)
  const median = values => values[Math.floor(values.length / 2)]
  return { imagesPerSecond: median(speeds), least: speeds[0], most: speeds.at(-1), peakMemoryBytes: median(memory) }
}

function speed({ imagesPerSecond, least, most }) {
  return `${round(imagesPerSecond)} (${round(least)}–${round(most)})`
}

function ratioOf({ ours, peer }) {
  return ours.imagesPerSecond / peer.imagesPerSecond
}

function workload({ model, mode, batch, size }, mark = '') {
  return `${mode} ${mark}${model}${mark} at ${size}×${size}, batch ${batch}`
}

/** A row of the table as a line. */
export function describe({ precision, ours, peer, ...row }) {
  const ratio = peer ? `, ${ratioOf({ ours, peer }).toFixed(2)} × ${peer.name}'s ${speed(peer)}` : ''
  return `${workload(row)}, ${precision}: ${speed(ours)} images/s${ratio}`
}

/** All rows. */
export function markdown(list) {
  const lines = list.map(({ precision, target, ours, peer, ...row }) => {
    const gigabytes = ({ peakMemoryBytes }) => (peakMemoryBytes / 1e9).toFixed(2)
    const memory =
      peer && row.mode === 'train' ? ` (${(ours.peakMemoryBytes / peer.peakMemoryBytes).toFixed(2)} ×)` : ''
    const cells = [
      workload(row, '`'),
      precision,
      speed(ours),
      peer ? `${speed(peer)}, ${peer.name}` : 'not installed',
      peer ? `**${ratioOf({ ours, peer }).toFixed(2)}**` : '',
      target.toFixed(2),
      ours.peakMemoryBytes ? `${gigabytes(ours)}${memory}` : '',
    ]
    return `| ${cells.join(' | ')} |`
  })
  const head = [
    '| workload | precision | Fovea, images/s | peer, images/s | ratio | target | peak GB |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
  ]
  return [...head, ...lines].join('\n')
}

/** A row as a bar of the chart. */
export function bar({ precision, ours, peer, ...row }) {
  const type = precision === 'float32' ? 'float32' : 'bfloat16'
  return { label: `${workload(row)}, ${type}`, value: ratioOf({ ours, peer }) }
}

function round(value) {
  return value < 100 ? value.toPrecision(3) : String(Math.round(value))
}
