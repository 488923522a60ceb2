import { lazy, Suspense } from "react";
import { Route, Routes } from "react-router";
import { Lines } from "../ui/Panels";
import { Nowhere } from "./Nowhere";

const JobsPage = lazy(() => import("../jobs/JobsPage"));

export function AppRoutes() {
  return (
    <Suspense fallback={<Lines />}>
      <Routes>
        <Route path="/" element={<JobsPage />} />
        <Route path="/jobs" element={<JobsPage />} />
        <Route path="*" element={<Nowhere />} />
      </Routes>
    </Suspense>
  );
}
