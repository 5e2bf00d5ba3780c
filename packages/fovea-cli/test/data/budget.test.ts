import { expect, it } from 'vitest'
import { Budget } from '../../src/data/budget.js'

/** Work that ends when it is told to, and what is under way. */
function works() {
  const running = new Map<string, () => void>()
  const work = (name: string) => (): Promise<string> =>
    new Promise(resolve => {
      running.set(name, () => {
        running.delete(name)
        resolve(name)
      })
    })
  const end = async (name: string): Promise<void> => {
    running.get(name)?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { running: () => [...running.keys()].join(' '), work, end }
}

it('never more is held than there is; what needs much is not passed by what needs little', async () => {
  const budget = new Budget(10)
  const { running, work, end } = works()
  const done = [
    budget.hold(4, work('a')),
    budget.hold(4, work('b')),
    budget.hold(100, work('all')),
    budget.hold(1, work('c')),
  ]
  await end('')
  expect(running()).toBe('a b')
  await end('a')
  expect(running()).toBe('b')
  await end('b')
  expect(running()).toBe('all')
  await end('all')
  expect(running()).toBe('c')
  await end('c')
  expect(await Promise.all(done)).toEqual(['a', 'b', 'all', 'c'])
})

it('what fails gives back what it held', async () => {
  const budget = new Budget(1)
  for (let i = 0; i < 3; i++) await expect(budget.hold(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await budget.hold(1, async () => 5)).toBe(5)
})
