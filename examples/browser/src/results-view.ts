/** @file What a training came to, shown: accuracy, which classes are taken for which, the worst mistakes. */
import type { Results } from './learning.js'

export const percent = (part: number): string => `${(100 * part).toFixed(1)} %`

/** A new element. */
export function made<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = '',
  children: readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  element.textContent = text
  element.append(...children)
  return element
}

/** A picture, whose memory is freed once it is shown. */
export function imageOf(picture: Blob): HTMLImageElement {
  const image = made('img')
  image.alt = ''
  image.src = URL.createObjectURL(picture)
  image.onload = () => URL.revokeObjectURL(image.src)
  return image
}

function confusionTable({ classes, confusion }: Results): HTMLTableElement {
  const head = made('tr', '', [made('th', 'is ↓  taken for →'), ...classes.map(name => made('th', name))])
  const rows = confusion.map((counts, actual) => {
    const all = counts.reduce((sum, count) => sum + count, 0)
    const cells = counts.map((count, predicted) => {
      const cell = made('td', count === 0 ? '' : String(count))
      cell.style.setProperty('--part', String(all === 0 ? 0 : count / all))
      cell.style.setProperty('--shade', actual === predicted ? 'var(--accent)' : 'var(--second)')
      return cell
    })
    return made('tr', '', [made('th', classes[actual]), ...cells])
  })
  return made('table', '', [head, ...rows])
}

/** Fills an element. */
export function showResults(parent: Element, results: Results): void {
  const scroll = made('div', '', [confusionTable(results)])
  scroll.className = 'scroll'
  const mistakes = made(
    'div',
    '',
    results.mistakes.map(({ picture, label, predicted, probability }) =>
      made('div', '', [imageOf(picture), made('div', `${label}, taken for ${predicted} (${percent(probability)})`)]),
    ),
  )
  mistakes.className = 'pictures'
  const heading = made('h2', `${percent(results.accuracy)} of the held-out pictures are recognized`)
  heading.id = 'accuracy'
  const none = results.mistakes.length === 0
  parent.replaceChildren(heading, scroll, ...(none ? [] : [made('h2', 'The worst mistakes'), mistakes]))
}
