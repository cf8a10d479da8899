// The Alertmanager's page on :9093: active alerts by group, what was notified, silences, status.
import { IconBell, IconInbox, IconServer, IconVolumeOff } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { Shell } from '../components/Shell.tsx'
import { Empty } from '../components/States.tsx'
import { mount } from '../theme/Root.tsx'
import { GroupsPage } from './GroupsPage.tsx'
import { InboxPage } from './InboxPage.tsx'
import { SilencesPage } from './SilencesPage.tsx'
import { AmStatusPage } from './AmStatusPage.tsx'

// Links that Alertmanagers write into notifications: `/#/alerts?receiver=…`.
if (window.location.hash.startsWith('#/'))
  window.history.replaceState(null, '', window.location.hash.slice(1))

mount(<Alertmanager />)

function Alertmanager(): ReactNode {
  return (
    <Shell
      title="Watchfire Alertmanager"
      nav={[
        { to: '/alerts', label: 'Alerts', icon: <IconBell size={17} /> },
        { to: '/inbox', label: 'Inbox', icon: <IconInbox size={17} /> },
        { to: '/silences', label: 'Silences', icon: <IconVolumeOff size={17} /> },
        { to: '/status', label: 'Status', icon: <IconServer size={17} /> },
      ]}
    >
      <Routes>
        <Route path="/" element={<Navigate to="/alerts" replace />} />
        <Route path="/alerts" element={<GroupsPage />} />
        <Route path="/inbox" element={<InboxPage />} />
        <Route path="/silences" element={<SilencesPage />} />
        <Route path="/status" element={<AmStatusPage />} />
        <Route path="*" element={<Empty title="There is no such page" />} />
      </Routes>
    </Shell>
  )
}
