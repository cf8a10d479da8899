// The labels of a route as its group has them: templates over the alerts of the group, without the reason of a
// notification.
import { TemplateError } from '@watchfire/template'
import type { AlertRecord, StringMap } from '../alerts/index.ts'
import type { AggregationGroup } from '../dispatch/index.ts'
import type { Logger } from '../logger.ts'
import { buildMessage } from './message.ts'
import { templateData } from './receivers/index.ts'
import type { NotificationTemplates } from './templates/index.ts'

export interface RouteLabelParts {
  readonly templates: NotificationTemplates
  readonly externalUrl: string
  readonly logger: Logger
}

/** Renders them; where a template fails they are shown as written. */
export async function renderRouteLabels(
  group: AggregationGroup,
  alerts: readonly AlertRecord[],
  { templates, externalUrl, logger }: RouteLabelParts,
): Promise<StringMap> {
  const { labels, receiver } = group.route
  if (Object.values(labels).every((label) => !label.includes('{{'))) return labels
  const message = buildMessage({
    receiver,
    groupKey: group.key,
    groupLabels: group.labels,
    alerts,
    reason: 'none',
    externalUrl,
    routeLabels: labels,
    maxAlerts: 0,
  })
  try {
    return await templates.routeLabels(labels, templateData(message))
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    logger.error('Rendering route labels failed', { group: group.key, err: error.message })
    return labels
  }
}
