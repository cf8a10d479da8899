// Sends every alert through the routing tree into its groups. One dispatcher lives as long as one configuration.
import { compareUtf8, type Clock } from '@watchfire/datamodel'
import { compareLabelSets, isResolved, type AlertRecord } from '../alerts/index.ts'
import { AggregationGroup, type FlushHandler } from './aggregation-group.ts'
import { groupLabelsOf, matchRoutes, type Route } from './route.ts'

export class Dispatcher {
  readonly route: Route
  readonly #clock: Clock
  readonly #handler: FlushHandler
  readonly #groups = new Map<string, AggregationGroup>()

  constructor(route: Route, clock: Clock, handler: FlushHandler) {
    this.route = route
    this.#clock = clock
    this.#handler = handler
  }

  get groupCount(): number {
    return this.#groups.size
  }

  /** Puts the alert into its groups. */
  dispatch(alert: AlertRecord): void {
    for (const route of matchRoutes(this.route, alert.labels)) {
      const labels = groupLabelsOf(route, alert.labels)
      const id = `${route.id}\u0000${labels.key()}`
      let group = this.#groups.get(id)
      if (!group) {
        // A group ends with its last alert: what comes later waits group_wait again.
        group = new AggregationGroup(route, labels, this.#clock, this.#handler, () => this.#groups.delete(id))
        this.#groups.set(id, group)
      }
      group.insert(alert)
    }
  }

  /** Names of the receivers an alert goes to, in order of the routes. */
  receiversOf(alert: AlertRecord): string[] {
    return matchRoutes(this.route, alert.labels).map((route) => route.receiver)
  }

  /** Groups with alerts that have not ended, by labels, then receiver. */
  groups(): { group: AggregationGroup; alerts: AlertRecord[] }[] {
    const now = this.#clock.now()
    return [...this.#groups.values()]
      .map((group) => ({ group, alerts: group.alerts().filter((alert) => !isResolved(alert, now)) }))
      .filter(({ alerts }) => alerts.length > 0)
      .sort(
        (a, b) =>
          compareLabelSets(a.group.labels, b.group.labels) ||
          compareUtf8(a.group.route.receiver, b.group.route.receiver),
      )
  }

  stop(): void {
    for (const group of this.#groups.values()) group.stop()
    this.#groups.clear()
  }
}
