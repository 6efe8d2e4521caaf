sallyport_unit_test(log_reader log_reader_test.cpp LIBS sallyport_evidence)

# For tests/support/evidence.py.
add_executable(make_log make_log.cpp)
set_target_properties(make_log PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
target_link_libraries(make_log PRIVATE sallyport_evidence)
