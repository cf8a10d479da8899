// `amtool config routes`: the routing tree, and where an alert would go.
import type { Labels } from '@watchfire/datamodel'
import { matchesAll } from '@watchfire/datamodel'
import { matchersText, type AlertmanagerConfig } from '../config/index.ts'
import { buildRoute, matchRoutes, type Route } from '../dispatch/index.ts'

interface Branch {
  readonly text: string
  readonly children: readonly Branch[]
}

function drawTree(branches: readonly Branch[], prefix = ''): string {
  return branches
    .map(({ text, children }, i) => {
      const isLast = i === branches.length - 1
      const below = drawTree(children, `${prefix}${isLast ? '    ' : '│   '}`)
      return `${prefix}${isLast ? '└── ' : '├── '}${text}\n${below}`
    })
    .join('')
}

function slug(route: Route, showContinue: boolean, showReceiver: boolean): string {
  return [
    route.matchers.length === 0 ? 'default-route' : matchersText(route.matchers),
    ...(route.continue && showContinue ? ['continue: true'] : []),
    ...(showReceiver ? [`receiver: ${route.receiver}`] : []),
  ].join('  ')
}

function wholeTree(route: Route): Branch {
  return { text: slug(route, true, true), children: route.children.map(wholeTree) }
}

function matchingTree(route: Route, labels: Labels): Branch {
  const children: Branch[] = []
  for (const child of route.children) {
    if (!matchesAll(child.matchers, labels)) continue
    children.push(matchingTree(child, labels))
    if (!child.continue) break
  }
  return { text: slug(route, false, children.length === 0), children }
}

/** What `config routes show` prints. */
export function showRoutes(config: AlertmanagerConfig): string {
  return `Routing tree:\n.\n${drawTree([wholeTree(buildRoute(config.route))])}\n`
}

/** Receivers of an alert with these labels, and with `tree` how it gets there. */
export function testRoutes(
  config: AlertmanagerConfig,
  labels: Labels,
  tree: boolean,
): { receivers: string; shown: string } {
  const root = buildRoute(config.route)
  const receivers = matchRoutes(root, labels)
    .map(({ receiver }) => receiver)
    .join(',')
  const drawn = tree ? `Matching routes:\n.\n${drawTree([matchingTree(root, labels)])}\n\n` : ''
  return { receivers, shown: `${drawn}${receivers}\n` }
}
