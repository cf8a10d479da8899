export { authorizationHeader, customHeaders, readSecretFile } from './credentials.ts'
export { tlsConnectOptions, type TlsConnectOptions } from './tls-options.ts'
export { HttpFetcher, HttpStatusError, type FetchRequest, type FetchedBody } from './http-fetcher.ts'
