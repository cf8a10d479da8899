// What /docs and /openapi.json say of requests and answers. Requests are checked by hand, with better messages; these
// schemas document them and serialise the answers.

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const matrix = {
  type: 'array',
  minItems: 1,
  maxItems: 5000,
  items: { type: 'array', minItems: 1, items: number },
  description: 'rows of equal length; each a row of features',
} as const

const errorBody = {
  type: 'object',
  properties: {
    error: { ...text, description: 'stable word for programs' },
    detail: { ...text, description: 'reason for people' },
  },
  required: ['error', 'detail'],
} as const

const errors = (...codes: readonly number[]) =>
  Object.fromEntries(codes.map((code) => [code, { description: REASONS[code]!, ...errorBody }]))

const REASONS: Readonly<Record<number, string>> = {
  404: 'unknown model or version',
  413: 'the body is too large',
  422: 'bad rows or fields',
  500: 'the prediction failed',
  503: 'not ready: the model or the registry cannot be used now',
}

const version = { ...text, description: 'version, alias or stage; the production version if absent' } as const

const modelVersion = {
  type: 'object',
  properties: {
    model_name: text,
    version: text,
    stage: text,
    aliases: { type: 'array', items: text },
    default: { type: 'boolean', description: 'served to requests without version' },
    loaded: { type: 'boolean' },
    loaded_at: { type: ['string', 'null'] },
    n_features: { type: 'integer' },
    features: { type: 'array', items: text },
    input_shape: { type: 'array', items: { type: ['integer', 'null'] } },
    output_shape: { type: 'array', items: { type: ['integer', 'null'] } },
    output: { ...text, description: 'class (number of the class) or value' },
    classes: { type: 'array', items: text },
    algorithm: text,
    trained_at: text,
    metrics: { type: 'object', additionalProperties: number },
    dataset: { type: 'object', properties: { name: text, source: text, licence: text } },
  },
} as const

export const schemas = {
  predict: {
    summary: 'Predict',
    description:
      'Either an object with model_name, version and features, or the bare matrix with model_name and version in the query.',
    tags: ['predictions'],
    querystring: { type: 'object', properties: { model_name: text, version } },
    body: {
      anyOf: [
        {
          type: 'object',
          properties: { model_name: text, version, features: matrix },
          required: ['model_name', 'features'],
        },
        matrix,
      ],
      examples: [
        {
          model_name: 'diabetes-progression',
          features: [[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]],
        },
      ],
    },
    response: {
      200: {
        description: 'one prediction a row',
        type: 'object',
        properties: { model_name: text, version: text, predictions: { type: 'array', items: number } },
        required: ['model_name', 'version', 'predictions'],
      },
      ...errors(404, 413, 422, 500, 503),
    },
  },
  isModelAvailable: {
    summary: 'Whether a model version can answer',
    tags: ['models'],
    body: { type: 'object', properties: { model_name: text, version }, required: ['model_name'] },
    response: {
      200: {
        description: 'known, and its last load did not fail',
        type: 'object',
        properties: { available: { type: 'boolean' } },
      },
      ...errors(422),
    },
  },
  refresh: {
    summary: 'Load models anew from the registry, while predictions go on',
    tags: ['models'],
    body: {
      type: 'object',
      properties: { model_name: text, version },
      examples: [{ model_name: 'diabetes-progression' }],
    },
    response: {
      200: {
        description: 'the versions served now, by model',
        type: 'object',
        properties: {
          status: text,
          models: {
            type: 'object',
            additionalProperties: { type: 'array', items: { type: 'array', items: text } },
          },
        },
      },
      ...errors(404, 422, 500, 503),
    },
  },
  models: {
    summary: 'Models and versions',
    tags: ['models'],
    response: { 200: { description: 'all versions', type: 'array', items: modelVersion } },
  },
  samples: {
    summary: 'Rows with the predictions recorded at training',
    tags: ['models'],
    params: { type: 'object', properties: { name: text } },
    querystring: { type: 'object', properties: { version } },
    response: {
      200: {
        description: 'samples of the version served by default, or of the one asked for',
        type: 'array',
        items: {
          type: 'object',
          properties: { features: { type: 'array', items: number }, prediction: number },
        },
      },
      ...errors(404),
    },
  },
  health: {
    summary: 'The process lives',
    tags: ['service'],
    response: {
      200: {
        description: 'always healthy',
        type: 'object',
        properties: {
          status: text,
          models_loaded: { type: 'integer' },
          onnxruntime_available: { type: 'boolean' },
          prometheus_available: { type: 'boolean' },
        },
      },
    },
  },
  ready: {
    summary: 'Every model can answer',
    tags: ['service'],
    response: {
      200: { description: 'ready', type: 'object', properties: { status: text } },
      ...errors(503),
    },
  },
  metrics: { summary: 'Metrics: text 0.0.4, OpenMetrics 1.0 or protobuf', tags: ['service'] },
} as const
