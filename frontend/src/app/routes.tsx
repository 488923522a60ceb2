import { Suspense } from "react";
import { Route, Routes } from "react-router";
import { Lines } from "../ui/Panels";
import { lazy } from "./lazy";
import { Nowhere } from "./Nowhere";

const OverviewPage = lazy(() => import("../overview/OverviewPage"));
const TimelinePage = lazy(() => import("../timeline/TimelinePage"));
const JobsPage = lazy(() => import("../jobs/JobsPage"));
const JobPage = lazy(() => import("../jobs/JobPage"));
const CreatePage = lazy(() => import("../form/FormPage").then(({ CreatePage }) => ({ default: CreatePage })));
const EditPage = lazy(() => import("../form/FormPage").then(({ EditPage }) => ({ default: EditPage })));
const RunsPage = lazy(() => import("../runs/RunsPage"));
const RunPage = lazy(() => import("../runs/RunPage"));
const SettingsPage = lazy(() => import("../settings/SettingsPage"));

export function AppRoutes() {
  return (
    <Suspense fallback={<Lines />}>
      <Routes>
        <Route path="/" element={<OverviewPage />} />
        <Route path="/jobs" element={<JobsPage />} />
        <Route path="/jobs/new" element={<CreatePage />} />
        <Route path="/jobs/:id" element={<JobPage />} />
        <Route path="/jobs/:id/edit" element={<EditPage />} />
        <Route path="/runs" element={<RunsPage />} />
        <Route path="/runs/:id" element={<RunPage />} />
        <Route path="/timeline" element={<TimelinePage />} />
        <Route path="/settings" element={<SettingsPage />} />
        <Route path="*" element={<Nowhere />} />
      </Routes>
    </Suspense>
  );
}
