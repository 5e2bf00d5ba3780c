/** @file What holds for the outputs of a run on every engine: all, or those that are wanted, and the run is the same. */
import { expect, test, vi } from 'vitest'
import type { Engine } from '../../src/engines/engine.js'
import { PlannedProgram } from '../../src/engines/planned/planned-program.js'
import { GraphBuilder } from '../../src/ops/builder.js'
import { ops } from '../../src/ops/index.js'

const feeds = { x: Float32Array.of(1, 2, 3, 4) }

/** Of x its double, its square and the sum of that, each from the one before; `runs` counts. */
function several() {
  const builder = new GraphBuilder()
  const x = builder.input('x', [4])
  const double = builder.emit(ops.add, [x, x], {})
  const square = builder.emit(ops.multiply, [double, double], {})
  builder.output('double', double)
  builder.output('square', square)
  builder.output('sum', builder.emit(ops.reduceSum, [square], { axes: [0], keepDims: false }))
  const runs = builder.buffer('runs', [], { type: 'zeros' })
  builder.update(runs, builder.emit(ops.add, [runs, builder.constant(1)], {}))
  return builder.build()
}

export function programOutputTests(engine: () => Engine): void {
  const graph = several()
  const all = {
    double: Float32Array.of(2, 4, 6, 8),
    square: Float32Array.of(4, 16, 36, 64),
    sum: Float32Array.of(120),
  }

  test('a run gives back all of them, or those that are wanted, and does the same', async () => {
    const program = await engine().compile(graph)
    expect(await program.run(feeds)).toEqual(all)
    expect(await program.run(feeds, ['sum', 'double'])).toEqual({ double: all.double, sum: all.sum })
    expect(await program.run(feeds, ['square'])).toEqual({ square: all.square })
    expect(await program.run(feeds, [])).toEqual({})
    expect(await program.run(feeds)).toEqual(all)
    expect(await program.read('runs')).toEqual(Float32Array.of(5))
    program.dispose()
  })

  test('a name that none has is refused before anything runs', async () => {
    const program = await engine().compile(graph)
    await expect(program.run(feeds, ['sum', 'squares'])).rejects.toThrow(
      "unknown output 'squares'; did you mean 'square'?",
    )
    await expect(program.run(feeds, ['loss'])).rejects.toThrow("unknown output 'loss'; known: double, square, sum")
    await expect(program.run(feeds, 'sum' as never)).rejects.toThrow(
      "outputs: expected a list of names of outputs, got 'sum'",
    )
    expect(await program.read('runs')).toEqual(Float32Array.of(0))
    expect(await program.run(feeds)).toEqual(all)
    program.dispose()
  })
}

/** Of an engine whose programs run plans. */
export function copiesWhatIsWanted(engine: () => Engine): void {
  test('what is not wanted is not copied', async () => {
    const program = await engine().compile(several())
    if (!(program instanceof PlannedProgram)) throw new Error('this program runs no plan')
    const read = vi.spyOn(program.machine, 'read')
    await program.run(feeds, ['sum'])
    expect(read.mock.calls.map(([, { length }]) => length)).toEqual([1])
    await program.run(feeds, [])
    expect(read).toHaveBeenCalledTimes(1)
    await program.run(feeds)
    expect(read).toHaveBeenCalledTimes(4)
    program.dispose()
  })
}
