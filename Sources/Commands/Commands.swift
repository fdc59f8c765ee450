// The Commands target.
