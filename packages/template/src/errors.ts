// Errors of templates, with Go's texts.

/** A template that cannot be parsed or executed. */
export class TemplateError extends Error {
  override name = 'TemplateError'
}

/** Thrown by functions; the engine adds the place. */
export class FunctionError extends Error {
  override name = 'FunctionError'
}
