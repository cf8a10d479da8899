export { RemoteWriter, WRITE_BODY_BYTES_MAX, type RemoteWriterOptions } from './remote-writer.ts'
export { PROTOCOLS, encodingFault, protocolOf } from './media-type.ts'
export { type WriteCounters, type WriteProtocol, type WriteResult } from './write-result.ts'
