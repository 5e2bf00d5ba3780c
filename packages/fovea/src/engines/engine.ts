/**
 * @file What an engine is: it compiles a graph once and runs it many times. Everything that differs between engines is
 * behind this interface; everything they share (passes, plans) is before it.
 */
import type { HostArray } from '../graph/arrays.js'
import type { Graph } from '../graph/graph.js'
import type { DType } from '../graph/types.js'

/** What a run is given: one array in the input's shape, or a number for a scalar, by the name of the input. */
export type Feeds = Readonly<Record<string, HostArray | number>>
/** What a run returns: one array in the output's shape, by the name of each output that is wanted. */
export type Outputs = Readonly<Record<string, HostArray>>

/** What holds for one compilation. */
export interface CompileOptions {
  /** Refuse, with the sizes in the message, a plan that needs more bytes than this. Default: what is free. */
  readonly memoryLimitBytes?: number
}

/**
 * How an engine computes convolutions and linear layers of tensors of a type. `native`: in that type. `widened`: the
 * tensors are stored in it, the arithmetic is done in a wider one, and each result is rounded; an engine may leave the
 * layers where that would not pay to the type itself. `none`: not at all. `int8` stands for weights of that type and activations
 * of uint8.
 */
export type Arithmetic = 'native' | 'widened' | 'none'

/** Something that runs graphs: get one from `defaultEngine`, `onednnEngine`, `wasmEngine` or `referenceEngine`. */
export interface Engine {
  /** `onednn`, `wasm`, `reference`. */
  readonly name: string
  /** One line for people: version, instruction set, threads. */
  readonly description: string
  /** How many a run uses. */
  readonly threads: number
  /**
   * The bits of integer weights with which it computes in integers: 7 where it adds products up in 16 bits, which could overflow with
   * 8 (x86 without VNNI), else 8. Quantization takes it unless it is told otherwise.
   */
  readonly weightBits: 7 | 8
  /**
   * How it computes with tensors of a type: whether a precision saves time here, or memory only.
   * @param weightBits of weights in `int8`: 7 where none is beyond 64 or −64, which may be faster. Default 8
   */
  arithmetic(dtype: DType, weightBits?: number): Arithmetic
  /**
   * Makes a graph ready to run; a promise, as an engine may wait for a device. State starts at zero: write it before the first
   * run (`initialWeights` has what a model starts from).
   * @throws EngineError naming the node and operator that this engine lacks, or the memory that is missing
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Program>
}

/**
 * A compiled graph with its state. One run at a time, and its state is not touched meanwhile: awaiting each call keeps to
 * that. Programs do not know of each other: those of one engine may run at the same time.
 */
export interface Program {
  /** Bytes the program holds: its arena for activations, its state. */
  readonly memory: { readonly arenaBytes: number; readonly stateBytes: number }
  /**
   * One run: feeds every input, computes every output, applies the updates. A number feeds a scalar input.
   * Feeds are read before this returns; outputs are the caller's to keep.
   * @param outputs the names of those that are wanted; no other is copied out of the engine. Default: all
   * @throws InvalidArgumentError for a feed that is missing, of the wrong length or in an array of another type, and for an output
   *   that there is not; EngineError while another run is under way, and where the program is disposed of before the end
   */
  run(feeds: Feeds, outputs?: readonly string[]): Promise<Outputs>
  /** A copy of the parameter or buffer `name` in its plain layout. @throws EngineError while a run is under way */
  read(name: string): Promise<HostArray>
  /** Sets the parameter or buffer `name` from its plain layout. @throws EngineError while a run is under way */
  write(name: string, data: HostArray): Promise<void>
  /** At any time, also twice: frees the memory. A run under way is cut short and fails. */
  dispose(): void
}
