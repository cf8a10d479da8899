// Sample traffic that replays rows of real data.
export { startTraffic, type RunningTraffic, type TrafficOptions } from './traffic.ts'
export { kindOf, makeRequest, readRows, type ModelRows, type RequestKind } from './requests.ts'
export { FLOOR_RATE_MIN, PAUSE_MAX_MS, pauseMs, rateAt, type Wave } from './wave.ts'
