export { childrenOf, valueType } from './ast.ts'
export type {
  AggregateExpr,
  AggregateOp,
  ArithmeticOp,
  BinaryExpr,
  BinaryOp,
  CallExpr,
  ComparisonOp,
  DurationExpr,
  DurationNode,
  Expr,
  MatchCardinality,
  MatrixSelector,
  NumberLiteral,
  ParenExpr,
  PositionRange,
  SetOp,
  StringLiteral,
  SubqueryExpr,
  TimeModifiers,
  TrimOp,
  UnaryExpr,
  ValueType,
  VectorMatching,
  VectorSelector,
} from './ast.ts'
export { FUNCTIONS, type FunctionSignature } from './functions-table.ts'
export { documentedType } from './check.ts'
export { ParseError, positionText } from './error.ts'
export { exprToJson, type ExprJson } from './json.ts'
export { ALL_EXPERIMENTS, type ParserOptions } from './options.ts'
export { parseExpr, parseMetricSelector } from './parse.ts'
export { prettyExpr, printExpr } from './print.ts'
export { parseSeriesDescription, type SeriesDescription, type SeriesValue } from './series.ts'
export { AGGREGATORS, KEYWORDS } from './tokens.ts'
