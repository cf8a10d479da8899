export {
  asNotifyError,
  checkStatus,
  createHttpClient,
  parseJson,
  readSecret,
  reasonOf,
  type HttpClient,
  type StatusRules,
} from './client.ts'
export {
  sendOverNetwork,
  tlsOptions,
  type ConnectionConfig,
  type IncomingAnswer,
  type OutgoingRequest,
  type SendRequest,
} from './transport.ts'
