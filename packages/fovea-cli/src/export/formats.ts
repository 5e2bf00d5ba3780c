/** @file What a model can be exported as: a row for each format, which `fovea export` lists and asks. */
import type { Dataset, Engine, Model, NamingName, OnnxPrecision } from 'fovea'
import type { Output } from '../output.js'
import { onnx } from './onnx.js'
import { safetensors } from './safetensors.js'
import { transformers } from './transformers.js'
import { web } from './web.js'

/** What is exported, and how. */
export interface ExportRequest {
  readonly model: Model
  /** What the user calls it. */
  readonly file: string
  /** The file or folder that is made. */
  readonly out: string
  readonly precision?: OnnxPrecision
  readonly preprocessing?: true
  readonly names?: NamingName
  /** To check what is written on. Opened when they are wanted. */
  readonly images: () => Promise<Dataset>
  /** What they are, as a message counts them: those of the data, or generated ones. */
  readonly imagesName: 'images' | 'generated images'
  readonly engine: () => Engine
  readonly output: Output
}

/** What has been written. */
export interface Exported {
  readonly bytes: number
  /** For people, beside the path and the bytes. */
  readonly said?: string
  /** For `--json`. */
  readonly about?: Readonly<Record<string, unknown>>
}

export interface ExportFormat {
  /** For help. */
  readonly about: string
  /** The options of its own that a format takes, as they are given; others are refused. */
  readonly takes: readonly ('precision' | 'preprocessing' | 'data' | 'names')[]
  /** All files that it makes, so that none is replaced. */
  readonly files: (out: string) => readonly string[]
  readonly write: (request: ExportRequest) => Promise<Exported>
}

export const formats = {
  onnx,
  safetensors,
  transformers,
  web,
} as const satisfies Record<string, ExportFormat>

export type FormatName = keyof typeof formats
export const formatNames = Object.keys(formats) as FormatName[]
