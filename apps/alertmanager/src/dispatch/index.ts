export { AggregationGroup, type Flush, type FlushHandler } from './aggregation-group.ts'
export { Dispatcher } from './dispatcher.ts'
export { buildRoute, groupLabelsOf, matchRoutes, type Route } from './route.ts'
