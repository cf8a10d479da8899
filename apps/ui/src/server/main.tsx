// The server's pages on :9090.
import { useQuery } from '@tanstack/react-query'
import { IconBell, IconChartLine, IconListCheck, IconServer, IconTargetArrow } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { apiGet } from '../api/client.ts'
import type { ActiveAlert } from '../api/types.ts'
import { Shell } from '../components/Shell.tsx'
import { Empty } from '../components/States.tsx'
import { AlertsPage } from '../pages/alerts/AlertsPage.tsx'
import { QueryPage } from '../pages/query/QueryPage.tsx'
import { RulesPage } from '../pages/rules/RulesPage.tsx'
import { StatusPage } from '../pages/status/StatusPage.tsx'
import { TargetsPage } from '../pages/targets/TargetsPage.tsx'
import { mount } from '../theme/Root.tsx'

function Server(): ReactNode {
  const { data } = useQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => apiGet<{ alerts: ActiveAlert[] }>('alerts', {}, { signal }),
    refetchInterval: 10_000,
  })
  const firing = data?.data.alerts.filter((alert) => alert.state === 'firing').length
  return (
    <Shell
      title="Watchfire"
      nav={[
        { to: '/query', label: 'Query', icon: <IconChartLine size={17} /> },
        { to: '/alerts', label: 'Alerts', icon: <IconBell size={17} />, count: firing },
        { to: '/targets', label: 'Targets', icon: <IconTargetArrow size={17} /> },
        { to: '/rules', label: 'Rules', icon: <IconListCheck size={17} /> },
        { to: '/status', label: 'Status', icon: <IconServer size={17} /> },
      ]}
    >
      <Routes>
        <Route path="/" element={<Navigate to="/query" replace />} />
        <Route path="/query" element={<QueryPage />} />
        <Route path="/alerts" element={<AlertsPage />} />
        <Route path="/targets" element={<TargetsPage />} />
        <Route path="/rules" element={<RulesPage />} />
        <Route path="/status" element={<StatusPage />} />
        <Route path="*" element={<Empty title="There is no such page" />} />
      </Routes>
    </Shell>
  )
}

mount(<Server />)
