// One loaded model version: an ONNX Runtime session that proved itself on the samples recorded at training.
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { ModelVersion } from '../registry/index.ts'

/** The model cannot be loaded, or does not answer as it did at training. */
export class ModelLoadError extends Error {
  readonly code = 'model_load'
}

/** The session failed on rows that passed validation. */
export class InferenceError extends Error {
  readonly code = 'inference'
}

export interface SessionOptions {
  /** Threads inside one inference. Default 1: small models gain nothing from more. */
  threads?: number
}

/** Predictions may differ from the recorded ones by this share (float32). */
const SAMPLE_TOLERANCE = 1e-4

export class ModelSession {
  readonly model: ModelVersion
  readonly loadedAt: Date
  readonly #session: InferenceSession
  #running = 0
  #retired = false

  private constructor(model: ModelVersion, session: InferenceSession) {
    this.model = model
    this.#session = session
    this.loadedAt = new Date()
  }

  /** Loads and proves a model; throws ModelLoadError. */
  static async load(
    model: ModelVersion,
    onnx: Uint8Array,
    options: SessionOptions = {},
  ): Promise<ModelSession> {
    const label = `model ${model.name} version ${model.version}`
    let session: InferenceSession
    try {
      session = await InferenceSession.create(onnx, {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads ?? 1,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      })
    } catch (cause) {
      throw new ModelLoadError(`${label} cannot be loaded: ${(cause as Error).message}`, { cause })
    }
    const loaded = new ModelSession(model, session)
    try {
      await loaded.#prove()
      return loaded
    } catch (cause) {
      await session.release()
      throw new ModelLoadError(`${label} is refused: ${(cause as Error).message}`, { cause })
    }
  }

  /** One prediction a row; rows are of equal length. Throws InferenceError. */
  async predict(rows: readonly (readonly number[])[]): Promise<number[]> {
    const width = rows[0]!.length
    const flat = new Float32Array(rows.length * width)
    for (let i = 0; i < rows.length; i++) flat.set(rows[i]!, i * width)
    this.#running++
    try {
      const { inputNames } = this.#session
      const feeds = { [inputNames[0]!]: new Tensor('float32', flat, [rows.length, width]) }
      const { outputName } = this.model
      const output = (await this.#session.run(feeds, [outputName]))[outputName]!
      const predictions = Array.from(output.data as ArrayLike<number | bigint>, Number)
      if (predictions.length !== rows.length)
        throw new Error(`the model gave ${predictions.length} predictions for ${rows.length} rows`)
      return predictions
    } catch (cause) {
      const reason = (cause as Error).message.replace(/\s+/g, ' ').trim()
      throw new InferenceError(`prediction failed: ${reason}`, { cause })
    } finally {
      this.#running--
      if (this.#retired && this.#running === 0) await this.#session.release()
    }
  }

  /** Whether a newer session has taken over; this one may be freed already. */
  get retired(): boolean {
    return this.#retired
  }

  /** No new predictions will come: frees the session when those under way have ended. */
  async retire(): Promise<void> {
    if (this.#retired) return
    this.#retired = true
    if (this.#running === 0) await this.#session.release()
  }

  async #prove(): Promise<void> {
    const { samples, outputName } = this.model
    if (!this.#session.outputNames.includes(outputName)) throw new Error(`it has no output ${outputName}`)
    if (samples.length === 0) return
    const predictions = await this.predict(samples.map((s) => s.features))
    for (const [i, { prediction }] of samples.entries()) {
      const apart = Math.abs(predictions[i]! - prediction)
      if (!(apart <= SAMPLE_TOLERANCE * Math.max(1, Math.abs(prediction))))
        throw new Error(`sample ${i} gives ${predictions[i]}, ${prediction} was recorded at training`)
    }
  }
}
