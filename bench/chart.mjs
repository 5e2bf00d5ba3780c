/** @file A chart of bars beside their labels, as SVG, with a line at 1: the peer. */

const row = 26
const left = 410
const width = 940

/** @param {{label: string, value: number}[]} bars multiples of the peer's speed */
export function barChart(bars) {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const x = value => left + (value / most) * (width - left - 60)
  const height = row * bars.length + 50
  const text = (at, y, content, more = '') =>
    `<text x="${at}" y="${y}" font-size="13" fill="#1f2328" ${more}>${content}</text>`
  const rows = bars.map(({ label, value }, i) => {
    const y = 40 + i * row
    const color = label.endsWith('bfloat16') ? '#54aeff' : '#0969da'
    return [
      text(left - 10, y + 15, label, 'text-anchor="end"'),
      `<rect x="${left}" y="${y + 2}" width="${(x(value) - left).toFixed(1)}" height="${row - 8}" fill="${color}"/>`,
      text(x(value) + 6, y + 15, value.toFixed(2), 'font-weight="bold"'),
    ].join('')
  })
  const line = `<line x1="${x(1)}" y1="30" x2="${x(1)}" y2="${height - 10}" stroke="#cf222e" stroke-dasharray="4 3"/>`
  const title = 'images a second, as a multiple of the peer (the line)'
  const heading = `<title>${title}</title>${text(left, 20, title, 'font-weight="bold"')}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>${heading}${rows.join('')}${line}</svg>\n`
}
