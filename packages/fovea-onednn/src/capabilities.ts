/**
 * @file How the processor's instructions are used: which convolutions of 16-bit types compute in float32, which gradients are
 * kernels of ours. Decided by what the addon has measured and tried, never by a version number.
 */
import { type DType, type EnumerationName, enumerationNumber, type HalfType } from 'fovea/engine'
import type { Addon } from './addon.js'

export type Direction = EnumerationName<'Direction'>

/**
 * Which convolutions of a 16-bit type compute in float32 between casts. `never`: the type has instructions, and fast ones.
 * `where it pays` (operators/convolution.ts): those are slower than float32's here. `always`: there are none, or so slow.
 */
export type Widening = Readonly<Record<HalfType, (direction: Direction, depthwise: boolean) => Widened>>
export type Widened = 'never' | 'where it pays' | 'always'

/** How the processor's instructions are used. */
export interface Capabilities {
  /** Whether oneDNN has convolutions for this processor; else they are kernels of ours, in float32 and integers. */
  readonly convolutions: boolean
  readonly widening: Widening
  /**
   * Which kernel of ours computes the weight gradient of bfloat16 (operators/weight-gradient.ts): that for dot products of `pairs`,
   * that for matrix `tiles`, or none, where products of pairs are slow and all is widened.
   */
  readonly weightGradient: 'pairs' | 'tiles' | undefined
  /** The types that are computed in float32 and by Winograd's algorithm where that gains (operators/winograd.ts). */
  readonly winograd: readonly DType[]
  /**
   * Whether products of uint8 and int8 overflow: x86 without VNNI adds two of them up in 16 bits. Integers with which they may
   * are computed as float32.
   */
  readonly overflows: (depthwise: boolean) => boolean
}

/** A convolution in bfloat16 that takes longer than so many times float32's is computed in float32, casts included. */
const WIDENING_PAYS = 1.3
/** One that takes so many times as long is no kernel but a fallback of oneDNN's, to be avoided whatever the casts take. */
const FALLBACK = 4

/** By what oneDNN calls the instruction set, or how that begins. */
const kernels = [
  ['avx512_core_bf16', 'pairs'],
  ['avx512_core_amx', 'tiles'],
] as const

/** @param info what the addon has found out about this processor and this oneDNN */
export function capabilitiesOf(info: ReturnType<Addon['info']>): Capabilities {
  const { convolutions, instructionSet, bfloat16Costs, depthwiseBFloat16Costs, integersOverflow } = info
  const widening: Widening = {
    bfloat16: (direction, depthwise) => {
      const cost = (depthwise ? depthwiseBFloat16Costs : bfloat16Costs)[enumerationNumber('Direction', direction)]
      return cost === 0 || cost > FALLBACK ? 'always' : cost > WIDENING_PAYS ? 'where it pays' : 'never'
    },
    float16: () => 'always', // oneDNN 2.x has no convolution of float16 on a CPU, and 3.x on few processors
  }
  const fastBFloat16 = widening.bfloat16('forward', false) === 'never'
  return {
    convolutions,
    widening,
    weightGradient: fastBFloat16 ? kernels.find(([set]) => instructionSet.startsWith(set))?.[1] : undefined,
    winograd: ['float32', 'float16', ...(fastBFloat16 ? [] : (['bfloat16'] as const))],
    overflows: depthwise => integersOverflow[depthwise ? 1 : 0],
  }
}
