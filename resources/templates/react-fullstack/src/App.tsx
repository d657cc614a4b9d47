import { BrowserRouter, Route, Routes } from 'react-router'
import { Layout } from './components/Layout'
import { RequireUser } from './components/RequireUser'
import { SessionProvider } from './components/SessionProvider'
import AccountPage from './pages/AccountPage'
import HomePage from './pages/HomePage'
import NotesPage from './pages/NotesPage'
import NotFoundPage from './pages/NotFoundPage'
import PeoplePage from './pages/PeoplePage'
import SignInPage from './pages/SignInPage'
import SignUpPage from './pages/SignUpPage'

export default function App() {
  return (
    <BrowserRouter>
      <SessionProvider>
        <Routes>
          <Route element={<Layout />}>
            <Route index element={<HomePage />} />
            <Route path="sign-in" element={<SignInPage />} />
            <Route path="sign-up" element={<SignUpPage />} />
            <Route element={<RequireUser />}>
              <Route path="notes" element={<NotesPage />} />
              <Route path="account" element={<AccountPage />} />
            </Route>
            <Route element={<RequireUser role="admin" />}>
              <Route path="people" element={<PeoplePage />} />
            </Route>
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Routes>
      </SessionProvider>
    </BrowserRouter>
  )
}
