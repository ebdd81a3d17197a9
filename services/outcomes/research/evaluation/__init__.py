"""The benchmark: rules that look for failing courses, judged side by side."""
