/** @file Where a layer stands in a model: a builder and a dotted path, from which parameters take torchvision's names. */
import type { Value } from '../graph/graph.js'
import type { Initializer } from '../graph/initializer.js'
import type { Shape } from '../graph/types.js'
import type { GraphBuilder } from '../ops/builder.js'

export class Scope {
  constructor(
    readonly builder: GraphBuilder,
    readonly path = '',
  ) {}

  /** The scope of a part: `scope.at('layer1').at(0)` is `layer1.0`. */
  at(part: string | number): Scope {
    return new Scope(this.builder, this.name(String(part)))
  }

  /** The full name of something here. */
  name(part: string): string {
    return this.path === '' ? part : `${this.path}.${part}`
  }

  parameter(part: string, shape: Shape, initializer: Initializer): Value {
    return this.builder.parameter(this.name(part), shape, initializer)
  }

  buffer(part: string, shape: Shape, initializer: Initializer): Value {
    return this.builder.buffer(this.name(part), shape, initializer)
  }
}
