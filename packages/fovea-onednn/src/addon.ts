/** @file The types of what the native addon exports; native/addon.cc is the other side. */
import type { MemoryArray, Primitive } from 'fovea/engine'

/** How weights lie. */
export interface WeightLayout {
  readonly layout: number
  readonly bytes: number
  /** See `TargetLayouts`; 0 for none. */
  readonly outputBlock: number
}

/** `weights`: how those lie that it reads, or the gradient that it writes. */
export interface Convolution extends Primitive {
  readonly weights: WeightLayout
}

/** See native/onednn.h. Names are numbers of kernels/field.ts; what is a bool there is 0 or 1. */
export type ConvolutionSpec = Readonly<
  Record<
    | ('direction' | 'type' | 'activation' | 'batch' | 'groups' | 'bias' | 'sum' | 'threads')
    | `${'in' | 'out'}${'Channels' | 'Height' | 'Width'}`
    | `${'kernel'}${'Height' | 'Width'}`
    | `${'stride' | 'dilation'}${'Y' | 'X'}`
    | ('top' | 'bottom' | 'left' | 'right'),
    number
  >
>

export interface NativeStep {
  /** A kernel's name (fovea/src/engines/planned/kernels/table.ts), or a primitive's id. */
  readonly kernel?: string
  readonly primitive?: number
  /** Buffer indices; -1 where an optional one is absent. */
  readonly buffers: readonly number[]
  /** Bytes by which each buffer's pointer moves from slice to slice. */
  readonly strides: readonly number[]
  readonly ints: readonly number[]
  readonly floats: readonly number[]
  /** Runs only when the state was written since the last run. */
  readonly once: boolean
}

/** See native/plan.h. `slices` 0: the threads share each step. */
export interface NativeLoop {
  readonly slices: number
  readonly imagesPerSlice: number
  /** Buffers that each thread clears first. */
  readonly zeroed: readonly number[]
  readonly steps: readonly NativeStep[]
}

/** A plan on the native side: its layouts and primitives first, then what `build` is given, once. */
export interface NativePlan {
  /** The layout of weights; `arrangement` is a number of layouts.ts. */
  layout(type: number, shape: readonly number[], groups: number, arrangement: number): WeightLayout
  convolution(spec: ConvolutionSpec): Convolution
  reorder(from: number, to: number, threads: number): Primitive
  build(
    arenaBytes: number,
    stateBytes: number,
    places: readonly (readonly [state: number, offset: number, bytes: number, threadStride: number])[],
    loops: readonly NativeLoop[],
  ): void
  /** Feeds are written before, outputs are read after it. */
  run(profile: boolean, refresh: boolean): Promise<void>
  read(buffer: number, layout: number, plainLayout: number, target: MemoryArray): void
  write(buffer: number, layout: number, plainLayout: number, source: MemoryArray): void
  /** [step, thread, start, duration] of each execution in the last profiled run, in seconds, one after another. */
  events(): Float64Array
  dispose(): void
}

export interface Addon {
  info(): {
    /** Of the table of kernels that it was built with (interface.ts). */
    readonly interface: string
    readonly version: string
    readonly instructionSet: string
    /** Whether oneDNN has convolutions for this processor; else they are kernels of ours. */
    readonly convolutions: boolean
    /**
     * Time of a convolution in bfloat16, as a multiple of float32; 0 where oneDNN has none here. By direction: forward,
     * gradient by input, gradient by weights.
     */
    readonly bfloat16Costs: readonly number[]
    readonly depthwiseBFloat16Costs: readonly number[]
    /** Of uint8 and int8: of convolutions, and of depthwise ones. */
    readonly integersOverflow: readonly [boolean, boolean]
    /** As many threads as the OpenMP runtime gives: more would never come, and oneDNN would wait for them. */
    readonly threadLimit: number
  }
  readonly Plan: new (threads: number) => NativePlan
}
