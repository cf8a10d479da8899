// The dashboards' pages on :3000.
import { IconLayoutDashboard } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Route, Routes } from 'react-router'
import { Shell } from '../components/Shell.tsx'
import { Empty } from '../components/States.tsx'
import { mount } from '../theme/Root.tsx'
import { BoardList, Home } from './BoardList.tsx'
import { BoardPage } from './BoardPage.tsx'

mount(<Dashboards />)

function Dashboards(): ReactNode {
  return (
    <Shell
      title="Watchfire"
      nav={[{ to: '/dashboards', label: 'Dashboards', icon: <IconLayoutDashboard size={17} /> }]}
    >
      <Routes>
        <Route path="/" element={<Home />} />
        <Route path="/dashboards" element={<BoardList />} />
        <Route path="/d/:uid" element={<BoardPage />} />
        <Route path="/d/:uid/:slug" element={<BoardPage />} />
        <Route path="*" element={<Empty title="There is no such page" />} />
      </Routes>
    </Shell>
  )
}
